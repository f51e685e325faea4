namespace NE.Model.Replay

open System
open System.IO
open NE.Model

/// When the learner goes back to its oldest experience.
[<RequireQualifiedAccess>]
type ReviewMode =
    /// Review the more, the less the activated ratio changes; at most with probability 1 - floor.
    | Slope
    /// Never.
    | Off
    /// The paper's formula to the letter: the count of activated neurons, no normalisation, no floor.
    | Literal
    /// The official code's gate: review with a logistic probability while the fraction of active units is below `Awaken`.
    | Official

/// How the signal's change becomes a threshold.
[<RequireQualifiedAccess>]
type ReviewScale =
    /// Relative to the largest change since `MinStep`, changes being those of medians, so that neither the start nor an outlier decides for ever;
    /// eps in [0, 1] is mapped onto [floor, 1].
    | Guarded
    /// As older versions had it: relative to the largest change since the window first filled, changes being those of means; eps below the
    /// floor counts as the floor. After the transient of the start that was so in practically every step.
    | FromStart

/// The parameters of experience review. Steps are gradient steps.
type ReviewSettings = {
    /// When to review.
    Mode: ReviewMode
    Scale: ReviewScale
    /// c, the length of the window over which the signal's change is measured.
    Window: int64
    /// eps0 in [0, 1], the lowest threshold; `Slope` only.
    Floor: float
    /// No review before this step: the oldest rows are still those of the random policy.
    MinStep: int64
    /// The share of the buffer that counts as oldest.
    Portion: float
    /// Batch size; no review while the buffer holds fewer than four batches.
    Batch: int
    /// The official gate on the fraction of active units.
    Awaken: float
}

/// Everything that must be stored to continue a review.
type ReviewState = {
    /// Steps at which the signal was sampled, oldest first; one sample at or before the start of the window, all later ones.
    Steps: int64[]
    /// The signal at these steps: a ratio, or for `Literal` the count of activated neurons.
    Values: float[]
    /// sigma_max, the largest change so far that counts.
    LargestSlope: float
    /// Steps for which review was decided.
    Decisions: int64
    /// Steps that were reviewed.
    Reviewed: int64
    /// Rows sampled for training.
    Rows: int64
    /// Sum of the ages of these rows, in rows: 0 is the newest.
    AgeSum: float
}

/// Storage of a `ReviewState`. The layout is versioned: little-endian, a version byte first.
[<RequireQualifiedAccess>]
module ReviewState =

    [<Literal>]
    let private Version = 1uy

    /// Nothing seen yet.
    let empty: ReviewState = {
        Steps = [||]
        Values = [||]
        LargestSlope = 0.0
        Decisions = 0L
        Reviewed = 0L
        Rows = 0L
        AgeSum = 0.0
    }

    /// 45 bytes and 16 per sample.
    let toBytes (state: ReviewState) : byte[] =
        use stream = new MemoryStream()
        use writer = new BinaryWriter(stream)
        writer.Write Version
        writer.Write state.Steps.Length

        for i in 0 .. state.Steps.Length - 1 do
            writer.Write state.Steps[i]
            writer.Write state.Values[i]

        writer.Write state.LargestSlope
        writer.Write state.Decisions
        writer.Write state.Reviewed
        writer.Write state.Rows
        writer.Write state.AgeSum
        writer.Flush()
        stream.ToArray()

    /// Reads what `toBytes` wrote.
    let ofBytes (bytes: byte[]) : Result<ReviewState, string> =
        if bytes.Length < 45 then
            Error $"A stored review has at least 45 bytes, but {bytes.Length} were found: the checkpoint is damaged."
        elif bytes[0] <> Version then
            Error $"A stored review of version {Version} was expected, but version {bytes[0]} was found: it is from another release."
        else
            use reader = new BinaryReader(new MemoryStream(bytes))
            reader.ReadByte() |> ignore
            let count = reader.ReadInt32()

            if count < 0 || int64 bytes.Length <> 45L + 16L * int64 count then
                Error $"A stored review of {count} samples was expected, but {bytes.Length} bytes were found: the checkpoint is damaged."
            else
                let samples =
                    Array.init count (fun _ -> struct (reader.ReadInt64(), reader.ReadDouble()))

                Ok {
                    Steps = samples |> Array.map (fun struct (t, _) -> t)
                    Values = samples |> Array.map (fun struct (_, f) -> f)
                    LargestSlope = reader.ReadDouble()
                    Decisions = reader.ReadInt64()
                    Reviewed = reader.ReadInt64()
                    Rows = reader.ReadInt64()
                    AgeSum = reader.ReadDouble()
                }

/// Experience review (docs/algorithm.md 2.11; paper section 3.2): decides per gradient step whether to train on the oldest experience. Mutable, owned
/// by the learner; `State` is its value.
[<Sealed>]
type ExperienceReview(settings: ReviewSettings, state: ReviewState) =
    /// Samples per window.
    static let resolution = 40L

    let mutable steps = state.Steps
    let mutable values = state.Values
    let mutable largest = state.LargestSlope
    let mutable decisions = state.Decisions
    let mutable reviewed = state.Reviewed
    let mutable rows = state.Rows
    let mutable ageSum = state.AgeSum

    let median (sample: float[]) =
        let sorted = Array.sort sample
        let middle = sorted.Length / 2

        if sorted.Length % 2 = 1 then
            sorted[middle]
        else
            (sorted[middle - 1] + sorted[middle]) / 2.0

    let isFull () =
        steps.Length > 1 && steps[0] <= steps[steps.Length - 1] - settings.Window

    /// |centre of the newest quarter - centre of the oldest quarter|, a |f_t - f_{t-c}| that one sample does not decide.
    let slope () =
        let quarter = max 1 (values.Length / 4)
        let oldest, newest = values[.. quarter - 1], values[values.Length - quarter ..]

        match settings.Scale with
        | ReviewScale.Guarded -> Math.Abs(median newest - median oldest)
        | ReviewScale.FromStart ->
            // In the order in which older versions added.
            Math.Abs(Array.sum (Array.rev newest) - Array.sum oldest) / float quarter

    /// Whether the last change counts for the largest.
    let counts () =
        isFull ()
        && (settings.Scale = ReviewScale.FromStart
            || steps[steps.Length - 1] >= settings.MinStep)

    let epsilon () =
        if not (counts ()) then
            1.0
        else
            match settings.Mode with
            | ReviewMode.Literal -> min 1.0 (Math.Abs(values[values.Length - 1] - values[0]) / float settings.Window)
            | _ -> slope () / max largest 1e-8

    let threshold () =
        match settings.Mode with
        | ReviewMode.Off -> 1.0
        | ReviewMode.Slope ->
            match settings.Scale with
            | ReviewScale.Guarded -> settings.Floor + (1.0 - settings.Floor) * epsilon ()
            | ReviewScale.FromStart -> max (epsilon ()) settings.Floor
        | ReviewMode.Literal -> epsilon ()
        | ReviewMode.Official ->
            if values.Length > 0 && values[values.Length - 1] < settings.Awaken then
                1.0 / (1.0 + 0.9 * Math.Exp(settings.Awaken - values[values.Length - 1]))
            else
                1.0

    /// Whether a review may take place at all.
    let isAllowed t size =
        t >= settings.MinStep && size >= 4L * int64 settings.Batch

    /// It only changes with a sample, so it is worked out once per sample.
    let mutable current = threshold ()

    /// The value to be stored.
    member _.State: ReviewState = {
        Steps = Array.copy steps
        Values = Array.copy values
        LargestSlope = largest
        Decisions = decisions
        Reviewed = reviewed
        Rows = rows
        AgeSum = ageSum
    }

    /// Steps from one sample of a signal to the next: 40 in a window.
    static member SampleInterval(window: int64) : int64 = max 1L (window / resolution)

    /// Whether t is one of the steps at which a signal is sampled.
    static member IsSampleStep(window: int64, t: int64) : bool =
        t % ExperienceReview.SampleInterval window = 0L

    /// Whether the signal is to be sampled at step t.
    member _.IsSampleDue(t: int64) : bool =
        settings.Mode <> ReviewMode.Off
        && ExperienceReview.IsSampleStep(settings.Window, t)

    /// Takes the signal f at step t; steps must increase and f be finite.
    member _.Push(t: int64, f: float) : unit =
        if not (Double.IsFinite f) then
            invalidArg (nameof f) $"The review signal at step {t} is {f}, but it must be finite."

        if steps.Length > 0 && t <= steps[steps.Length - 1] then
            invalidArg (nameof t) $"The review signal was sampled at step {steps[steps.Length - 1]} already, so step {t} cannot follow."

        // Keep one sample at or before the start of the window: it is what f_{t-c} means.
        let mutable keep = 0

        while keep + 1 < steps.Length && steps[keep + 1] <= t - settings.Window do
            keep <- keep + 1

        steps <- Array.append (Array.skip keep steps) [| t |]
        values <- Array.append (Array.skip keep values) [| f |]

        if counts () then
            largest <- max largest (slope ())

        current <- threshold ()

    /// eps_t in [0, 1]: the change of the signal relative to the largest one so far; 1 while none counts.
    member _.Epsilon: float = epsilon ()

    /// A step is reviewed iff u > threshold: eps_t in the bounds that the floor sets, or what the mode has in its place; 1 means never.
    member _.Threshold: float = current

    /// The probability that the batch of gradient step t is reviewed, with `size` rows stored.
    member _.Probability(t: int64, size: int64) : float =
        if isAllowed t size then 1.0 - current else 0.0

    /// Whether the batch of gradient step t comes from the oldest portion, with `size` rows stored: iff u > threshold, t has reached
    /// `MinStep` and four batches are stored. Draws u even while a review is forbidden, so the stream's position depends on the number of
    /// decisions alone; `Off` draws nothing.
    member _.Decide(t: int64, size: int64, draws: Draws) : bool =
        match settings.Mode with
        | ReviewMode.Off -> false
        | _ ->
            let u = draws.NextDouble()

            let review = u > current && isAllowed t size

            decisions <- decisions + 1L

            if review then
                reviewed <- reviewed + 1L

            review

    /// Counts the ages of the rows a batch was made of, for the logs.
    member _.Record(batch: ReadOnlySpan<int64>, window: Window) : unit =
        let mutable sum = 0L

        for row in batch do
            sum <- sum + (window.Head - 1L - row)

        rows <- rows + int64 batch.Length
        ageSum <- ageSum + float sum

    /// Reviewed steps / decided steps of the whole run; 0 before the first.
    member _.RealisedFraction: float =
        if decisions = 0L then
            0.0
        else
            float reviewed / float decisions

    /// Mean age of the sampled rows over the whole run, in rows; 0 before the first.
    member _.MeanAge: float = if rows = 0L then 0.0 else ageSum / float rows
