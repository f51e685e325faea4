namespace NE.Model.Networks

open System
open System.IO
open System.Numerics
open System.Runtime.InteropServices

/// Brings the components of an observation to the moments of those before it. Immutable: a copy of a learner's moments, in single precision, in which
/// learner, policy and exported policy compute alike. `mean`, `scale`: one per component, 1 / deviation; `clip`: the largest magnitude.
[<Sealed>]
type ObservationNormaliser(mean: float32[], scale: float32[], clip: float32) =
    let mean, scale = Array.copy mean, Array.copy scale

    do
        if mean.Length <> scale.Length || mean.Length = 0 then
            invalidArg (nameof scale) $"There are {mean.Length} means and {scale.Length} scales; one of each per component was expected."

    static let name = "normaliser"

    /// x <- clip((x - mean) scale) in place, component by component; as many values as there are means. Allocates nothing.
    static member Apply(mean: float32[], scale: float32[], clip: float32, values: Span<float32>) : unit =
        let highest, lowest = Vector<float32> clip, Vector<float32> -clip
        let mutable i = 0

        while i <= values.Length - Vector<float32>.Count do
            let scaled =
                (Vector<float32>(values.Slice i) - Vector<float32>(mean, i))
                * Vector<float32>(scale, i)

            Vector.Min(Vector.Max(scaled, lowest), highest).CopyTo(values.Slice i)
            i <- i + Vector<float32>.Count

        while i < values.Length do
            values[i] <- MathF.Min(MathF.Max((values[i] - mean[i]) * scale[i], -clip), clip)
            i <- i + 1

    /// How the names of a normaliser's tensors begin.
    static member Prefix = name + "."

    /// Components of an observation.
    member _.Size = mean.Length

    /// Normalises an observation in place.
    member _.Apply(observation: Span<float32>) : unit =
        ObservationNormaliser.Apply(mean, scale, clip, observation)

    /// As a network in front of a policy's bodies.
    member internal _.Portable: PortableNetwork =
        let tensor what first = {
            Name = $"{name}.0.{what}"
            Shape = [ mean.Length ]
            Places = Array.init mean.Length (fun i -> first + i)
        }

        {
            Name = name
            Layers = [ PortableLayer.Normalise(tensor "mean" 0, tensor "scale" mean.Length, clip) ]
            Values = Array.append mean scale
        }

    /// Little-endian: number of components, clip, means, scales.
    member internal _.Write(writer: BinaryWriter) : unit =
        writer.Write mean.Length
        writer.Write clip
        Seq.append mean scale |> Seq.iter writer.Write

    /// The inverse of Write. Raises InvalidDataException for numbers that cannot be, EndOfStreamException for bytes that end early.
    static member internal Read(reader: BinaryReader) : ObservationNormaliser =
        let count, clip = reader.ReadInt32(), reader.ReadSingle()

        if count < 1 || count > 1_000_000 || not (clip > 0.0f) then
            raise (InvalidDataException $"The policy claims to normalise {count} components of an observation to at most {clip}.")

        let values () =
            let read = Array.zeroCreate<float32> count
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(Span read))
            read

        let mean = values ()
        ObservationNormaliser(mean, values (), clip)
