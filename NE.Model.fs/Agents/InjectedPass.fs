namespace NE.Model.Agents

open System
open NE.Model.Networks

/// The two bodies that plasticity injection (Nikishin et al. 2023) adds to a network and freezes. The network's own block is the third, the
/// only one that learns.
type InjectedBodies = {
    /// theta: what the network was at the injection. Of a target network it follows theta by Polyak averaging.
    Kept: IParameterBlock
    /// theta_2', a copy of what the new body theta_1' was at the injection: subtracted, so that the output stayed as it was.
    Subtracted: IParameterBlock
}

/// A pass through three bodies over one input: head(h(theta) + (h(theta_1') - h(theta_2'))). Parameters get a gradient in theta_1' alone, the input
/// gets one through all three.
[<Sealed>]
type InjectedPass
    (engine: IEngine, added: IParameterBlock, bodies: InjectedBodies, stacks: int, input: IMatrix, head: Head, backward: Backward) =
    // Frozen bodies have no use for a gradient of their parameters.
    let frozen =
        match backward.InputColumns with
        | struct (_, 0) -> NoGradient
        | struct (first, count) -> InputGradient(first, count)

    let kept = engine.CreatePass(bodies.Kept, stacks, input, Linear, frozen)
    let learning = engine.CreatePass(added, stacks, input, Linear, backward)
    let subtracted = engine.CreatePass(bodies.Subtracted, stacks, input, Linear, frozen)

    let matrices count columns =
        Array.init count (fun _ -> engine.CreateMatrix(input.Rows, columns))

    let columns = added.Layout.Outputs
    let outputs = matrices stacks columns
    let gradients = matrices (if backward = NoGradient then 0 else stacks) columns

    let inputGradient =
        match backward.InputColumns with
        | struct (_, 0) -> [||]
        | struct (_, count) -> matrices 1 count

    /// into = h(theta) + (h(theta_1') - h(theta_2')), in this order: equal bodies cancel.
    let combine (part: IPass -> IMatrix) (into: IMatrix) =
        engine.Copy(part kept, into)
        engine.AddDifference(into, 1.0f, part learning, part subtracted)

    /// h(theta), h(theta_1') and h(theta_2') of the last Forward, for metrics.
    member _.Bodies = [ kept; learning; subtracted ]

    interface IPass with
        member _.Block = added
        member _.Stacks = stacks

        member _.Forward() =
            kept.Forward()
            learning.Forward()
            subtracted.Forward()

            for stack in 0 .. stacks - 1 do
                combine _.Output(stack) outputs[stack]
                engine.HeadForward(outputs[stack], head)

        member _.Backward() =
            for stack in 0 .. stacks - 1 do
                engine.HeadBackward(gradients[stack], outputs[stack], head)
                engine.Copy(gradients[stack], learning.OutputGradient stack)

                if inputGradient.Length > 0 then
                    engine.Copy(gradients[stack], kept.OutputGradient stack)
                    engine.Copy(gradients[stack], subtracted.OutputGradient stack)

            learning.Backward()

            if inputGradient.Length > 0 then
                kept.Backward()
                subtracted.Backward()
                combine _.InputGradient inputGradient[0]

        /// Of the body that learns.
        member _.Hidden(stack, layer) = learning.Hidden(stack, layer)
        member _.Output stack = outputs[stack]
        member _.OutputGradient stack = gradients[stack]
        member _.InputGradient = inputGradient[0]

        member _.Dispose() =
            for pass in [ kept; learning; subtracted ] do
                pass.Dispose()

            for matrix in Seq.concat [ outputs; gradients; inputGradient ] do
                matrix.Dispose()
