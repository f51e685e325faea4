namespace NE.Model.Agents

open NE.Model
open NE.Model.Networks
open NE.Model.Replay

/// What a learner will take, computed before there is one.
type LearnerSize = {
    /// Weights, biases, gains and shifts of the actor, with what lies before it alone.
    Actor: int64
    /// The same of both critics, with what lies before them alone.
    Critics: int64
    /// Parameters of the convolutions that both read.
    Encoder: int64
    /// Bytes of the matrices that a gradient step works in, where they count: those of pictures.
    WorkingBytes: int64
    /// Floating-point operations of a gradient step in convolutions, a multiply-add counted as two.
    ConvolutionOperations: float
    /// The same of all events of Neuroplastic Expansion and of all looks at its signal, over the run.
    EventOperations: float
} with

    /// All parameters.
    member this.Parameters = this.Actor + this.Critics + this.Encoder

[<RequireQualifiedAccess>]
module LearnerSize =

    let private heads (settings: Settings) features actions = {
        Actor = (NetworkForms.actor settings.Network features (NetworkForms.actorOutputs settings.Run.Learner actions)).ParameterCount
        Critics = 2L * (NetworkForms.critic settings.Network features actions).ParameterCount
        Encoder = 0L
        WorkingBytes = 0L
        ConvolutionOperations = 0.0
        EventOperations = 0.0
    }

    /// Pictures that go through the convolutions for events and for the review's signal over the run. `passes`: those of the critics' gradient; the
    /// actor's needs s alone.
    let private eventPictures (settings: Settings) (passes: float) =
        let ne, probe = settings.Ne, float Trainee.ProbeRows
        let steps = float (Settings.gradientSteps settings)
        let has = settings.Run.Method.Has

        let events =
            if
                (has Technique.Ne || has Technique.NaiveGrowth)
                && ne.Rules.Value.EventBatch = EventBatch.Fresh
            then
                steps / float ne.GrowInterval.Value
            else
                0.0

        let looks =
            if has Technique.Ne && ne.Review <> ReviewMode.Off then
                steps / float (ExperienceReview.SampleInterval ne.ReviewWindow.Value)
            else
                0.0

        // Of the actor and of the critics.
        events * (2.0 * float ne.PruneBatch.Value + probe * (1.0 + passes))
        + looks * probe

    let private ofPictures (settings: Settings) (actions: int) =
        let pixels = settings.Pixels

        let image: ImageShape = {
            Height = pixels.Size
            Width = pixels.Size
            Channels = pixels.Shape.Channels
        }

        let encoder = NetworkForms.encoder image pixels.Filters
        let features = List.sum (List.tail encoder.Widths)
        let trunk = NetworkForms.trunk (List.last encoder.Widths) pixels.Features
        let heads = heads settings pixels.Features actions
        let rows = int64 (settings.Learner.BatchSize * pixels.Shifts.Value)
        let probe = int64 Trainee.ProbeRows
        // Forward passes over s and s', the target's where there is one; two products for every one on the way back.
        let forwards, target =
            2L, (if settings.Run.Learner = LearnerKind.Drq then 1L else 0L)

        let operations =
            encoder.Slots
            |> List.sumBy (fun slot ->
                let layer = slot.Head
                2.0 * float layer.Output.Features * float layer.FanIn)

        {
            heads with
                Actor = heads.Actor + trunk.ParameterCount
                Critics = heads.Critics + trunk.ParameterCount
                Encoder = encoder.ParameterCount
                WorkingBytes =
                    4L
                    * (rows * (int64 features * (forwards + target + 1L) + 2L * int64 image.Size)
                       + probe * (int64 features * (forwards + target) + 2L * int64 image.Size))
                ConvolutionOperations = float rows * operations * float (forwards + target + 2L)
                EventOperations = operations * eventPictures settings (float (forwards + target))
        }

    /// Of resolved settings, on a task of such observations and so many action components.
    let create (settings: Settings) (observation: ObservationForm) (actions: int) : LearnerSize =
        match observation with
        | ObservationForm.Vector size -> heads settings size actions
        | ObservationForm.Pixels _ -> ofPictures settings actions
