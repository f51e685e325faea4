namespace NE.Model.Tasks.Custom

open System
open NE.Model.Tasks
open NE.Model.Tasks.ControlSuite

/// A map of a number to [0, 1] (`Tolerance.tolerance`).
type Shaping = {
    Lower: float
    Upper: float
    Margin: float
    Sigmoid: Sigmoid
    ValueAtMargin: float
} with

    /// 1 between the bounds, falling off outside them.
    member this.Apply(value: float) =
        Tolerance.tolerance (struct (this.Lower, this.Upper)) this.Margin this.Sigmoid this.ValueAtMargin value

/// What is added to the reward, before its weight.
[<RequireQualifiedAccess>]
type RewardValue =
    /// The quantity after the step.
    | Of of quantity: Quantity
    /// Its change over the control step, per second.
    | Velocity of quantity: Quantity
    /// Minus the distance between two points [m].
    | Nearness of from: Point * towards: Point
    /// 1 on every step that does not terminate; on the terminating one too if so asked.
    | Alive of onTermination: bool
    /// Minus the sum of the squared actions.
    | ControlCost
    /// Minus the sum of the squared contact forces, each clipped to [-clip, clip], the sum at most `most`.
    | ContactCost of clip: float * most: float
    /// A value mapped to [0, 1]. Of a nearness, the distance itself is mapped.
    | Shaped of value: RewardValue * shaping: Shaping
    /// All values multiplied.
    | Product of values: RewardValue list

/// One term of a reward: its weight times its value.
type RewardTerm = {
    Name: string
    Weight: float
    Value: RewardValue
}

[<RequireQualifiedAccess>]
module RewardValue =

    /// The quantities whose value before the step the reward needs, in the order in which they are remembered.
    let rec remembered (value: RewardValue) : Quantity list =
        match value with
        | RewardValue.Velocity quantity -> [ quantity ]
        | RewardValue.Shaped(inner, _) -> remembered inner
        | RewardValue.Product values -> List.collect remembered values
        | RewardValue.Of _
        | RewardValue.Nearness _
        | RewardValue.Alive _
        | RewardValue.ControlCost
        | RewardValue.ContactCost _ -> []

    /// Whether the value is made of the contact forces.
    let rec readsContactForces (value: RewardValue) : bool =
        match value with
        | RewardValue.ContactCost _ -> true
        | RewardValue.Shaped(inner, _) -> readsContactForces inner
        | RewardValue.Product values -> List.exists readsContactForces values
        | RewardValue.Of _
        | RewardValue.Velocity _
        | RewardValue.Nearness _
        | RewardValue.Alive _
        | RewardValue.ControlCost -> false

    let private squares (clip: float) (values: ReadOnlySpan<float>) =
        let mutable sum = 0.0

        for value in values do
            let clipped = Math.Clamp(value, -clip, clip)
            sum <- sum + clipped * clipped

        sum

    /// The value of a step. Takes what was remembered from the front of `memory` and moves `slot` past it.
    let rec evaluate
        (physics: IPhysics)
        (action: ReadOnlySpan<float>)
        (memory: ReadOnlySpan<float>)
        (slot: byref<int>)
        (seconds: float)
        (terminated: bool)
        (value: RewardValue)
        : float =
        match value with
        | RewardValue.Of quantity -> Quantity.read physics quantity
        | RewardValue.Velocity quantity ->
            let before = memory[slot]
            slot <- slot + 1
            (Quantity.read physics quantity - before) / seconds
        | RewardValue.Nearness(left, right) -> -(Quantity.read physics (Quantity.Distance(left, right)))
        | RewardValue.Alive onTermination -> if terminated && not onTermination then 0.0 else 1.0
        | RewardValue.ControlCost -> -(squares infinity action)
        | RewardValue.ContactCost(clip, most) -> -(min most (squares clip physics.CFrcExt))
        | RewardValue.Shaped(RewardValue.Nearness(left, right), shaping) ->
            shaping.Apply(Quantity.read physics (Quantity.Distance(left, right)))
        | RewardValue.Shaped(inner, shaping) -> shaping.Apply(evaluate physics action memory &slot seconds terminated inner)
        | RewardValue.Product values ->
            let mutable product = 1.0

            for inner in values do
                product <- product * evaluate physics action memory &slot seconds terminated inner

            product
