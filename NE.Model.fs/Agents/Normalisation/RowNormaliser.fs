namespace NE.Model.Agents

#nowarn "9"

open System
open Microsoft.FSharp.NativeInterop
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

/// The moments of what a learner has seen, and stored rows as they normalise them (docs/algorithm.md 2.15). The replay memory stays as it is:
/// rows are normalised where they are gathered, observations where a policy acts, always by the moments of now. Belongs to its learner's thread.
[<Sealed>]
type RowNormaliser private (normalise: NormaliseSettings, environments: int, discount: float, shape: TransitionShape) =
    let observations =
        if normalise.Observations then
            ValueSome(RunningMoments shape.ObservationSize)
        else
            ValueNone

    let rewards =
        if normalise.Rewards then
            ValueSome(struct (RunningMoments 1, DiscountedReturns(environments, discount, shape)))
        else
            ValueNone

    let clip = float32 normalise.Clip
    // The moments in the precision that they are applied in.
    let mean = Array.zeroCreate<float32> shape.ObservationSize
    let scale = Array.create shape.ObservationSize 1.0f
    let mutable rewardScale = 1.0f
    // Rows below this one have been counted.
    let mutable seen = 0L
    let mutable source: ITransitionSource voption = ValueNone
    // The last policy that was completed, and what became of it.
    let mutable completed: struct (Policy * Policy) voption = ValueNone

    let refresh () =
        completed <- ValueNone

        match observations with
        | ValueSome moments ->
            for i in 0 .. mean.Length - 1 do
                mean[i] <- float32 (moments.Mean i)
                scale[i] <- moments.Scale i
        | ValueNone -> ()

        match rewards with
        | ValueSome(moments, _) -> rewardScale <- moments.Scale 0
        | ValueNone -> ()

    let normaliseRow (row: Span<float32>) =
        if observations.IsSome then
            ObservationNormaliser.Apply(mean, scale, clip, row.Slice(0, shape.ObservationSize))
            ObservationNormaliser.Apply(mean, scale, clip, row.Slice(shape.NextObservation, shape.ObservationSize))

        if rewards.IsSome then
            row[shape.Reward] <- MathF.Min(MathF.Max(row[shape.Reward] * rewardScale, -clip), clip)

    // No type argument can be a span, so that a member that returns one cannot end with raise.
    let unreadable () : unit =
        raise (NotSupportedException "Rows are normalised as they are gathered; where they lie they are not.")

    /// What resolved settings ask for on transitions of these sizes; none where nothing is normalised.
    static member TryCreate(settings: Settings, shape: TransitionShape) : RowNormaliser option =
        if settings.Normalise.IsOn then
            Some(RowNormaliser(settings.Normalise, settings.Schedule.Environments, settings.Learner.Discount, shape))
        else
            None

    /// Whether it normalises observations.
    member _.HasObservations = observations.IsSome

    /// Counts the rows of a window that were not counted yet, each once and in their order. Those that left the replay memory before they could be
    /// counted never are.
    member _.Count(rows: ITransitionSource, window: Window) : unit =
        if window.Head > seen then
            for number in max seen window.First .. window.Head - 1L do
                match observations with
                | ValueSome moments -> moments.Add((rows.Row number).Slice(0, shape.ObservationSize))
                | ValueNone -> ()

                match rewards with
                | ValueSome(moments, returns) -> moments.Add(returns.Add(rows, window.First, number))
                | ValueNone -> ()

            seen <- window.Head
            refresh ()

    /// The rows of a source, normalised as they are gathered. It is one object, which reads the source that it was given last.
    member this.Over(rows: ITransitionSource) : ITransitionSource =
        source <- ValueSome rows
        this

    /// The policy behind the moments of now; the same object until either changes.
    member _.Complete(policy: Policy) : Policy =
        match completed with
        | _ when observations.IsNone -> policy
        | ValueSome(bare, whole) when obj.ReferenceEquals(bare, policy) -> whole
        | _ ->
            let whole = policy.Normalising(ObservationNormaliser(mean, scale, clip))
            completed <- ValueSome(struct (policy, whole))
            whole

    /// All that it needs to go on.
    member _.State: Codec =
        let moments =
            Codec.all [
                Codec.int64 (fun () -> seen) (fun stored -> seen <- stored)

                match observations with
                | ValueSome moments -> moments.State
                | ValueNone -> ()

                match rewards with
                | ValueSome(moments, returns) ->
                    moments.State
                    returns.State
                | ValueNone -> ()
            ]

        {
            moments with
                Read =
                    fun reader ->
                        moments.Read reader
                        refresh ()
        }

    interface ITransitionSource with
        member _.Gather(rows, destination, stride) =
            source.Value.Gather(rows, destination, stride)

            for i in 0 .. rows.Length - 1 do
                normaliseRow (Span<float32>(NativePtr.toVoidPtr (NativePtr.add destination (i * stride)), shape.StoredWidth))

        member _.Row _ =
            unreadable ()
            ReadOnlySpan()
