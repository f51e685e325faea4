namespace NE.Model.Agents

open System

/// A loss or a parameter became NaN or infinite. The state must not be committed.
type NonFiniteException(tensor: string, step: int64) =
    inherit
        Exception(
            $"{tensor} is not a finite number at gradient step {step}. Training diverged; the last checkpoint is unaffected. Lower the learning rates, or bound the weights (network.weightClip=3)."
        )

    /// What was found, such as "the critics' loss" or "critic 2, layer 1 weights".
    member _.Tensor = tensor
    /// Gradient step at which it was found.
    member _.Step = step

    /// Raises it unless the value is finite.
    static member Require(tensor: string, value: float, step: int64) : unit =
        if not (Double.IsFinite value) then
            raise (NonFiniteException(tensor, step))
