/// Numbers in the form in which TorchSharp hands them to libtorch.
///
/// TorchSharp gives libtorch a pointer and then holds the scalar no more. One that nobody else holds can be finalized, and its memory
/// given away, while the operation still reads it: the operation then takes another number, or fails for an "unknown scalar type". This
/// goes for the scalars that TorchSharp makes of plain numbers, too, and for the factor 1 of every `add`.
[<AutoOpen>]
module internal NE.Model.Networks.Torch.TorchScalars

open System.Collections.Concurrent
open TorchSharp

let private all = ConcurrentDictionary<float32, Scalar>()

/// A number, made once and kept for good: for the few constants of a program.
let held (value: float32) : Scalar =
    // A delegate is made only for a number that is not known yet.
    match all.TryGetValue value with
    | true, known -> known
    | false, _ -> all.GetOrAdd(value, (fun (value: float32) -> value.ToScalar()))

type torch.Tensor with

    /// this + other.
    member this.Plus(other: torch.Tensor) : torch.Tensor = this.add (other, held 1.0f)

    /// Adds the tensor in place.
    member this.Increase(other: torch.Tensor) : torch.Tensor = this.add_ (other, held 1.0f)

    /// Adds the number in place.
    member this.Increase(value: float32) : torch.Tensor = this.add_ (held value, held 1.0f)
