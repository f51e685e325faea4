namespace NE.Model.Agents

open System
open System.Globalization
open NE.Model

/// A loss or a parameter became NaN or infinite. The state must not be committed.
type NonFiniteException(tensor: string, step: int64) =
    inherit Exception($"{tensor} is not a finite number at gradient step {step}.")

    /// What was found, such as "the critics' loss" or "critic 2, layer 1 weights".
    member _.Tensor = tensor
    /// Gradient step at which it was found.
    member _.Step = step

    /// Raises it unless the value is finite.
    static member Require(tensor: string, value: float, step: int64) : unit =
        if not (Double.IsFinite value) then
            raise (NonFiniteException(tensor, step))

/// What a run says of such a number, whether a gradient step has met it or a commit.
[<RequireQualifiedAccess>]
module NonFinite =

    // Whatever is not the actor's learns at the critics' rate.
    let private rate (learner: LearnerSettings) (tensor: string) =
        if tensor.Contains("actor", StringComparison.Ordinal) then
            "learner.actorLearningRate", learner.ActorLearningRate.Value
        else
            "learner.criticLearningRate", learner.CriticLearningRate.Value

    /// What was found, and what to do. `run` is its name.
    let sentence (learner: LearnerSettings) (run: string) (tensor: string) (step: int64) : string =
        let key, present = rate learner tensor
        let lower = (present / 10.0).ToString("0.##e0", CultureInfo.InvariantCulture)

        $"{tensor} is not a finite number at gradient step {step}: training diverged, and nothing after the last checkpoint was kept. "
        + $"Resuming repeats the same steps; try a tenth of the present rate, {lower}: ne resume {run} {key}={lower}"
