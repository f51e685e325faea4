namespace NE.Model.Agents

open System.IO
open NE.Model

/// A part of a stored state: it writes itself, and reads what it wrote. Which bytes these are is part of every stored run.
[<NoEquality; NoComparison>]
type Codec = {
    Write: BinaryWriter -> unit
    Read: BinaryReader -> unit
}

[<RequireQualifiedAccess>]
module Codec =

    /// One after the other.
    let all (parts: Codec list) : Codec = {
        Write =
            fun writer ->
                for part in parts do
                    part.Write writer
        Read =
            fun reader ->
                for part in parts do
                    part.Read reader
    }

    let int64 (get: unit -> int64) (set: int64 -> unit) : Codec = {
        Write = fun writer -> writer.Write(get ())
        Read = fun reader -> set (reader.ReadInt64())
    }

    let float (get: unit -> float) (set: float -> unit) : Codec = {
        Write = fun writer -> writer.Write(get ())
        Read = fun reader -> set (reader.ReadDouble())
    }

    /// The position of a random stream.
    let draws (get: unit -> Draws) (set: Draws -> unit) : Codec = {
        Write = fun writer -> StateBytes.writeDraws writer (get ())
        Read = fun reader -> set (StateBytes.readDraws reader)
    }

    /// A fixed number of floats, read in place.
    let floats (values: float32[]) : Codec = {
        Write = fun writer -> StateBytes.writeFloats writer values
        Read = fun reader -> StateBytes.readFloats reader values
    }

    /// A fixed number of integers, read in place. Their number is not written.
    let int64s (values: int64[]) : Codec = {
        Write = fun writer -> values |> Array.iter writer.Write
        Read =
            fun reader ->
                for i in 0 .. values.Length - 1 do
                    values[i] <- reader.ReadInt64()
    }

    /// A fixed number of floats of double precision, read in place. Their number is not written.
    let doubles (values: float[]) : Codec = {
        Write = fun writer -> values |> Array.iter writer.Write
        Read =
            fun reader ->
                for i in 0 .. values.Length - 1 do
                    values[i] <- reader.ReadDouble()
    }

/// What several have to store in two components that they share.
[<NoEquality; NoComparison>]
type StoredParts = {
    /// In "random": the positions of random streams.
    Random: Codec list
    /// In "counters": everything else that it needs to continue.
    Counters: Codec list
}

/// A named component of a learner's stored state.
[<NoEquality; NoComparison>]
type internal Component = {
    Name: string
    /// Stands in front of the bytes; another one is refused.
    Version: int
    /// How many bytes it will be, if known: saves a copy.
    Size: int
    Codec: Codec
} with

    member this.Save() : byte[] =
        StateBytes.writeSized this.Size this.Version this.Codec.Write

    /// Raises InvalidDataException when the bytes are of another version, cut off, too long, or of other settings.
    member this.Restore(bytes: byte[]) : unit =
        StateBytes.read this.Name this.Version bytes this.Codec.Read

/// Everything that a learner needs to continue, as bytes by the names of components, which are part of every stored run.
[<Sealed>]
type AgentState(components: struct (string * byte[]) seq) =
    let components = Array.ofSeq components

    /// In a fixed order.
    member _.Components: struct (string * byte[])[] = components

    /// Raises InvalidDataException when there is none of this name.
    member _.Find(name: string) : byte[] =
        match components |> Array.tryFind (fun struct (known, _) -> known = name) with
        | Some(struct (_, bytes)) -> bytes
        | None -> raise (InvalidDataException $"The stored agent lacks its component '{name}'. Resume from another checkpoint.")
