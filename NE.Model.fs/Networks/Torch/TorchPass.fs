namespace NE.Model.Networks.Torch

open System
open NE.Model.Networks
open NE.Model.Networks.Layers
open TorchSharp

/// The output activation.
[<RequireQualifiedAccess>]
module internal TorchHead =
    let forward (output: TorchMatrix) (head: Head) : unit =
        match head with
        | Head.Linear -> ()
        | ScaledTanh scale ->
            output.Tensor.tanh_ () |> ignore

            if scale <> 1.0f then
                output.Tensor.mul_ (held scale) |> ignore

/// Where a chain of layers begins.
[<Sealed>]
type private TorchInput(features: TorchFeatures) =
    interface ITorchLayer with
        member _.Output = features
        member _.TryRectify() = false
        member _.Forward() = ()
        member _.Backward() = ()

/// A pass through the layers of every stack.
[<Sealed>]
type internal TorchPass
    (block: TorchBlock, stacks: int, input: TorchMatrix, head: Head, backward: Backward, device: TorchDevice, elementwise: IElementwise) =
    let layout = block.Layout

    let pass =
        new TorchPassing(block, input.Rows, backward, device, elementwise.IsFused)

    let struct (first, count) = backward.InputColumns

    let inputGradient =
        if count > 0 then
            ValueSome(pass.Matrix count)
        else
            ValueNone

    /// Every stack adds its gradient by the input to that of those before it.
    let inputOf stack =
        TorchInput {
            Values = input
            Norm = ValueNone
            Gradient = inputGradient
            First = first
            Kept = (if stack = 0 then 0.0f else 1.0f)
        }

    // Of every stack, slot by slot.
    let slots =
        Array.init stacks (fun stack ->
            let slots = Seq.init layout.Layers (fun layer -> layout.Slot(stack, layer))
            LayerForms.chain (inputOf stack :> ITorchLayer) slots (TorchLayers.create pass))

    let chains = slots |> Array.map Array.concat

    let featuresOf stack layer =
        let chain = slots[stack]
        (Array.last chain[layer]).Output

    let outputs = Array.init stacks (fun stack -> featuresOf stack (layout.Layers - 1))

    interface IPass with
        member _.Block = block
        member _.Stacks = stacks

        member _.Forward() =
            for stack in 0 .. stacks - 1 do
                for layer in chains[stack] do
                    layer.Forward()

                TorchHead.forward outputs[stack].Values head

        member _.Backward() =
            if not pass.HasGradient then
                invalidOp "This pass was made without a gradient."

            for stack in 0 .. stacks - 1 do
                match head with
                | Head.Linear -> ()
                | ScaledTanh scale -> elementwise.ScaledTanhBackward(outputs[stack].Gradient.Value, outputs[stack].Values, scale)

                let chain = chains[stack]

                for i = chain.Length - 1 downto 0 do
                    chain[i].Backward()

        member _.Hidden(stack, layer) = (featuresOf stack layer).Values
        member _.Output stack = outputs[stack].Values
        member _.OutputGradient stack = outputs[stack].Gradient.Value
        member _.InputGradient = inputGradient.Value

        member _.Dispose() = (pass :> IDisposable).Dispose()
