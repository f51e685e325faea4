namespace NE.Model.Tasks.Custom

open System
open NE.Model
open NE.Model.Tasks

/// When an episode ends because of its state.
[<RequireQualifiedAccess>]
type TerminationRule =
    /// The quantity leaves the range. The bounds themselves are inside when `inclusive`; a NaN is outside.
    | Outside of quantity: Quantity * low: float * high: float * inclusive: bool
    /// A number of a run of an array leaves the range.
    | AnyOutside of array: StateArray * first: int * count: int * low: float * high: float * inclusive: bool
    /// A position or velocity is not a finite number.
    | NotFinite

/// What an episode's start differs in from the model's initial pose, or from its keyframe. Applied in order; each takes one draw per number.
[<RequireQualifiedAccess>]
type StartNoise =
    /// Adds U(-scale, scale).
    | Uniform of isVelocity: bool * indices: int[] * scale: float
    /// Adds a normal number of this standard deviation.
    | Normal of isVelocity: bool * indices: int[] * deviation: float
    /// Puts U(low, high) in place.
    | Between of isVelocity: bool * indices: int[] * low: float * high: float

/// A task as data: all names are indices of the model already.
type CustomDefinition = {
    /// What is fixed about the task. Sizes and names of the reward's terms are filled in by `CustomTask`.
    Info: TaskInfo
    Observation: ObservationPart list
    Reward: RewardTerm list
    Termination: TerminationRule list
    /// Index of the model's keyframe that episodes begin with; none for the initial pose, at rest.
    Keyframe: int option
    /// On top of it.
    Start: StartNoise list
}

/// A task that a user described instead of programming it.
[<Sealed>]
type CustomTask(definition: CustomDefinition) =
    let observation = List.toArray definition.Observation
    let reward = List.toArray definition.Reward
    let termination = List.toArray definition.Termination
    let start = List.toArray definition.Start

    let remembered =
        definition.Reward
        |> List.collect (fun term -> RewardValue.remembered term.Value)
        |> List.toArray

    let weighted (term: RewardTerm) =
        if term.Weight = 1.0 then
            term.Name
        else
            $"{term.Weight} {term.Name}"

    let info = {
        definition.Info with
            ObservationSize = definition.Observation |> List.sumBy _.Size
            RewardTerms = reward |> Array.map _.Name
            Reward = reward |> Seq.map weighted |> String.concat " + "
            Termination =
                if definition.Termination.IsEmpty then
                    "never"
                else
                    "by the rules of the file"
            MemorySize = remembered.Length
    }

    let endsByContactForces (rule: TerminationRule) =
        match rule with
        | TerminationRule.AnyOutside(array, _, _, _, _, _) -> array = CFrcExt
        | TerminationRule.Outside _
        | TerminationRule.NotFinite -> false

    let readsContactForces =
        List.exists (ObservationPart.shows CFrcExt) definition.Observation
        || List.exists (fun (term: RewardTerm) -> RewardValue.readsContactForces term.Value) definition.Reward
        || List.exists endsByContactForces definition.Termination

    // Written so that a NaN is outside.
    let isInside low high inclusive (value: float) =
        if inclusive then
            low <= value && value <= high
        else
            low < value && value < high

    let allInside low high inclusive (values: ReadOnlySpan<float>) =
        let mutable inside = true

        for value in values do
            inside <- inside && isInside low high inclusive value

        inside

    let allFinite (values: ReadOnlySpan<float>) =
        let mutable finite = true

        for value in values do
            finite <- finite && Double.IsFinite value

        finite

    let ends (physics: IPhysics) (rule: TerminationRule) =
        match rule with
        | TerminationRule.Outside(quantity, low, high, inclusive) -> not (isInside low high inclusive (Quantity.read physics quantity))
        | TerminationRule.AnyOutside(array, first, count, low, high, inclusive) ->
            not (allInside low high inclusive ((ObservationPart.view physics array).Slice(first, count)))
        | TerminationRule.NotFinite -> not (allFinite physics.QPos && allFinite physics.QVel)

    let terminated (physics: IPhysics) =
        let mutable over = false

        for rule in termination do
            over <- over || ends physics rule

        over

    let target (start: IStartState) isVelocity =
        if isVelocity then start.Velocities else start.Positions

    /// Whether anything of the task depends on `IPhysics.CFrcExt`.
    member _.ReadsContactForces = readsContactForces

    interface ITask with
        member _.Info = info

        member _.Reset(draws, state) =
            Option.iter state.ToKeyframe definition.Keyframe

            for noise in start do
                match noise with
                | StartNoise.Uniform(isVelocity, indices, scale) ->
                    let values = target state isVelocity

                    for index in indices do
                        values[index] <- values[index] + draws.Uniform(-scale, scale)
                | StartNoise.Normal(isVelocity, indices, deviation) ->
                    let values = target state isVelocity

                    for index in indices do
                        values[index] <- values[index] + deviation * draws.NextNormal()
                | StartNoise.Between(isVelocity, indices, low, high) ->
                    let values = target state isVelocity

                    for index in indices do
                        values[index] <- draws.Uniform(low, high)

        member _.Before(physics, memory) =
            for i in 0 .. remembered.Length - 1 do
                memory[i] <- Quantity.read physics remembered[i]

        member _.Observe(physics, values) =
            let mutable at = 0

            for part in observation do
                ObservationPart.write physics part (values.Slice(at, part.Size))
                at <- at + part.Size

        member _.Evaluate(physics, action, memory, terms) =
            let over = terminated physics
            let mutable slot = 0
            let mutable sum = 0.0

            for i in 0 .. reward.Length - 1 do
                let value =
                    RewardValue.evaluate physics action memory &slot info.ControlTimestep over reward[i].Value

                terms[i] <- reward[i].Weight * value
                sum <- sum + terms[i]

            { Reward = sum; Terminated = over }
