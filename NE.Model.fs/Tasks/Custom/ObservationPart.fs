namespace NE.Model.Tasks.Custom

open System
open NE.Model.Tasks

/// An array of the physics state, by MuJoCo's name.
type StateArray =
    | QPos
    | QVel
    | SensorData
    | XMat
    | CInert
    | CVel
    | CFrcExt
    | QFrcActuator
    | QFrcConstraint

/// What one part of an observation shows.
[<RequireQualifiedAccess>]
type ObservationSource =
    /// A run of numbers of an array.
    | Slice of array: StateArray * first: int * count: int
    /// Single numbers of an array, such as entries of a rotation matrix.
    | Entries of array: StateArray * indices: int[]
    /// Coordinates of a point, relative to another one if there is one [m].
    | Position of point: Point * relativeTo: Point option * axes: int[]

/// One part of an observation.
type ObservationPart = {
    Source: ObservationSource
    /// Values are clipped to [-Clip, Clip]; infinity leaves them as they are.
    Clip: float
} with

    /// Numbers of this part.
    member this.Size =
        match this.Source with
        | ObservationSource.Slice(_, _, count) -> count
        | ObservationSource.Entries(_, indices) -> indices.Length
        | ObservationSource.Position(_, _, axes) -> axes.Length

[<RequireQualifiedAccess>]
module ObservationPart =
    /// The array as the simulator has it now.
    let view (physics: IPhysics) (array: StateArray) : ReadOnlySpan<float> =
        match array with
        | QPos -> physics.QPos
        | QVel -> physics.QVel
        | SensorData -> physics.SensorData
        | XMat -> physics.XMat
        | CInert -> physics.CInert
        | CVel -> physics.CVel
        | CFrcExt -> physics.CFrcExt
        | QFrcActuator -> physics.QFrcActuator
        | QFrcConstraint -> physics.QFrcConstraint

    /// Whether the part shows numbers of an array.
    let shows (array: StateArray) (part: ObservationPart) : bool =
        match part.Source with
        | ObservationSource.Slice(shown, _, _)
        | ObservationSource.Entries(shown, _) -> shown = array
        | ObservationSource.Position _ -> false

    let private copy (physics: IPhysics) (source: ObservationSource) (target: Span<float>) =
        match source with
        | ObservationSource.Slice(array, first, count) -> (view physics array).Slice(first, count).CopyTo target
        | ObservationSource.Entries(array, indices) ->
            let values = view physics array

            for i in 0 .. indices.Length - 1 do
                target[i] <- values[indices[i]]
        | ObservationSource.Position(point, relativeTo, axes) ->
            for i in 0 .. axes.Length - 1 do
                let position = Quantity.coordinate physics point axes[i]

                target[i] <-
                    match relativeTo with
                    | None -> position
                    | Some origin -> position - Quantity.coordinate physics origin axes[i]

    /// Writes the part to the front of the target.
    let write (physics: IPhysics) (part: ObservationPart) (target: Span<float>) =
        copy physics part.Source target

        if not (Double.IsInfinity part.Clip) then
            for i in 0 .. part.Size - 1 do
                target[i] <- Math.Clamp(target[i], -part.Clip, part.Clip)
