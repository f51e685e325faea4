namespace NE.Model.Networks

open System
open NE.Model.Replay
open TorchSharp

[<Sealed>]
type internal TorchMinibatch(rows: int, shape: TransitionShape, device: torch.Device) =
    let width = shape.BatchWidth
    let memory = new TorchMemory(rows * width, device)
    // The source writes to host memory; elsewhere one copy per batch follows.
    let staging =
        if memory.OnCpu then
            memory
        else
            new TorchMemory(rows * width, torch.CPU)

    interface IMinibatch with
        member _.Rows = rows
        member _.Shape = shape

        member _.Gather(source, rowNumbers) =
            if rowNumbers.Length <> rows then
                invalidArg (nameof rowNumbers) $"The minibatch has {rows} rows, {rowNumbers.Length} were named."

            source.Gather(rowNumbers, staging.Address, width)

            if not (obj.ReferenceEquals(staging, memory)) then
                memory.Tensor.copy_ staging.Tensor |> ignore

        member _.View(first, count) =
            new TorchMatrix(memory, false, first, rows, count, width) :> IMatrix

        member _.Dispose() =
            (memory :> IDisposable).Dispose()
            (staging :> IDisposable).Dispose()

/// Views and buffers of one layer of one stack in a pass.
[<NoEquality; NoComparison>]
type internal TorchLayer = {
    /// rows x inputs: the pass's input or the activations of the layer before.
    Input: TorchMatrix
    /// outputs x inputs.
    Weights: TorchMatrix
    Biases: TorchMatrix
    /// rows x outputs, after the activation function.
    Output: TorchMatrix
    /// rows x outputs, gradient before the activation function; null in a pass without gradient.
    Delta: TorchMatrix
    /// Gradients in the block; null unless the pass computes them.
    WeightGradient: TorchMatrix
    BiasGradient: TorchMatrix
}

[<Sealed>]
type internal TorchPass
    (block: TorchBlock, stacks: int, input: TorchMatrix, head: Head, backward: Backward, device, elementwise: IElementwise) =
    let layout = block.Layout
    let rows = input.Rows
    let owned = ResizeArray<IDisposable>()

    let own (item: 'T :> IDisposable) =
        owned.Add item
        item

    let fresh columns =
        own (TorchMatrix.Create(rows, columns, device))

    let withGradient = (backward <> NoGradient)
    let withParameters = (backward = ParameterGradient)

    let chains =
        Array.init stacks (fun stack ->
            let mutable x = input

            Array.init layout.Layers (fun layer ->
                let slot = layout.Slot(stack, layer)

                let made = {
                    Input = x
                    Weights = own (block.WeightsView(Field.Weights, slot))
                    Biases = own (block.BiasesView(Field.Weights, slot))
                    Output = fresh slot.Outputs
                    Delta =
                        if withGradient then
                            fresh slot.Outputs
                        else
                            Unchecked.defaultof<_>
                    WeightGradient =
                        if withParameters then
                            own (block.WeightsView(Field.Gradients, slot))
                        else
                            Unchecked.defaultof<_>
                    BiasGradient =
                        if withParameters then
                            own (block.BiasesView(Field.Gradients, slot))
                        else
                            Unchecked.defaultof<_>
                }

                x <- made.Output
                made))

    // Columns of the first layers' weights that belong to the wanted input columns, and the gradient by those.
    let inputWeights, inputGradient =
        match backward with
        | InputGradient(first, count) -> chains |> Array.map (fun chain -> own (chain[0].Weights.View(first, count))), fresh count
        | NoGradient
        | ParameterGradient -> [||], Unchecked.defaultof<_>

    let last = layout.Layers - 1

    // Null where there is nothing to multiply by.
    let outputScale: Scalar | null =
        match head with
        | ScaledTanh scale when scale <> 1.0f -> own (scale.ToScalar())
        | ScaledTanh _
        | Linear -> null

    let forward (chain: TorchLayer[]) =
        for i in 0..last do
            let layer = chain[i]

            layer.Output.Tensor.addmm_ (layer.Input.Tensor, layer.Weights.Transposed, 0.0f, 1.0f)
            |> ignore

            elementwise.AddBias(layer.Output, layer.Biases, i < last)

        match head with
        | Linear -> ()
        | ScaledTanh _ ->
            let output = chain[last].Output.Tensor.tanh_()

            match outputScale with
            | null -> ()
            | scale -> output.mul_ scale |> ignore

    let backward (stack: int) (chain: TorchLayer[]) =
        match head with
        | Linear -> ()
        | ScaledTanh scale -> elementwise.ScaledTanhBackward(chain[last].Delta, chain[last].Output, scale)

        for i = last downto 0 do
            let layer = chain[i]

            if withParameters then
                layer.WeightGradient.Tensor.addmm_ (layer.Delta.Transposed, layer.Input.Tensor, 0.0f, 1.0f)
                |> ignore

                elementwise.ColumnSums(layer.Delta, layer.BiasGradient)

            if i > 0 then
                let before = chain[i - 1]

                before.Delta.Tensor.addmm_ (layer.Delta.Tensor, layer.Weights.Tensor, 0.0f, 1.0f)
                |> ignore

                elementwise.ReluBackward(before.Delta, before.Output)
            elif inputWeights.Length > 0 then
                let keep = if stack = 0 then 0.0f else 1.0f

                inputGradient.Tensor.addmm_ (layer.Delta.Tensor, inputWeights[stack].Tensor, keep, 1.0f)
                |> ignore

    let layerOf stack layer =
        let chain = chains[stack]
        chain[layer]

    interface IPass with
        member _.Block = block
        member _.Stacks = stacks

        member _.Forward() =
            for chain in chains do
                forward chain

        member _.Backward() =
            if not withGradient then
                invalidOp "This pass was made without a gradient."

            for stack in 0 .. stacks - 1 do
                backward stack chains[stack]

        member _.Hidden(stack, layer) = (layerOf stack layer).Output
        member _.Output stack = (layerOf stack last).Output
        member _.OutputGradient stack = (layerOf stack last).Delta
        member _.InputGradient = inputGradient

        member _.Dispose() =
            for item in owned do
                item.Dispose()

/// The engine on TorchSharp: matrix products by libtorch, everything else by the fused kernels (CPU) or by torch operations (CUDA).
/// All memory and all tensor views are made once; a step creates no tensor on the CPU.
[<Sealed>]
type TorchEngine private (device: torch.Device, elementwise: IElementwise) =
    let matrix (m: IMatrix) = m :?> TorchMatrix

    // Arrays of matrices are few and fixed per agent: their unwrapped forms are kept.
    let unwrapped =
        System.Runtime.CompilerServices.ConditionalWeakTable<IMatrix[], TorchMatrix[]>()

    let unwrap =
        System.Runtime.CompilerServices.ConditionalWeakTable<IMatrix[], TorchMatrix[]>.CreateValueCallback(Array.map matrix)

    let matrices (all: IMatrix[]) = unwrapped.GetValue(all, unwrap)

    /// An engine on `device`: "cpu", "cuda", "cuda:n", or "auto" (the first CUDA device, if there is one). `threads` is libtorch's number of
    /// threads inside one operation, for the whole process. Raises LibTorchException, or ArgumentException for an unusable device.
    static member Create(device: string, threads: int) : TorchEngine =
        LibTorch.ensureLoaded ()

        if threads < 1 then
            invalidArg (nameof threads) $"At least one thread is needed, {threads} were asked for."

        torch.set_num_threads threads
        let cuda = lazy (torch.cuda.is_available ())

        match device with
        | "auto" when cuda.Value -> new TorchEngine(torch.device "cuda:0", TorchElementwise())
        | "auto"
        | "cpu" -> new TorchEngine(torch.CPU, FusedElementwise())
        | _ when device = "cuda" || device.StartsWith("cuda:", StringComparison.Ordinal) ->
            let known, index =
                Int32.TryParse(if device = "cuda" then "0" else device.Substring 5)

            if not known || index < 0 then
                invalidArg (nameof device) $"'{device}' is not a device: expected auto, cpu, cuda or cuda:n."
            elif not cuda.Value then
                invalidArg
                    (nameof device)
                    "No CUDA device was found. Build with -p:Accelerator=cuda on a machine with one, or use the device cpu."
            elif index >= torch.cuda.device_count () then
                invalidArg (nameof device) $"There are {torch.cuda.device_count ()} CUDA devices, so {device} does not exist."
            else
                new TorchEngine(torch.device $"cuda:{index}", TorchElementwise())
        | _ -> invalidArg (nameof device) $"'{device}' is not a device: expected auto, cpu, cuda or cuda:n."

    /// The CUDA engine's code path on CPU memory, to be compared with the fused kernels.
    static member internal CreateWithTorchOperations() =
        LibTorch.ensureLoaded ()
        torch.set_num_threads 1
        new TorchEngine(torch.CPU, TorchElementwise())

    interface IEngine with
        member _.Name = $"torch {device}"

        member _.CreateBlock(layout, trainable) =
            new TorchBlock(layout, trainable, device)

        member _.CreateMatrix(rows, columns) =
            TorchMatrix.Create(rows, columns, device)

        member _.CreateMinibatch(rows, shape) = new TorchMinibatch(rows, shape, device)

        member _.CreatePass(block, stacks, input, head, backward) =
            new TorchPass(block :?> TorchBlock, stacks, matrix input, head, backward, device, elementwise)

        member _.Adam(block, options) =
            elementwise.Adam(block :?> TorchBlock, options)

        member _.Polyak(target, online, tau) =
            elementwise.Polyak((target :?> TorchBlock).Memory Field.Weights, (online :?> TorchBlock).Memory Field.Weights, tau)

        member _.PullTowards(block, anchor, rate) =
            elementwise.PullTowards(block :?> TorchBlock, (anchor :?> TorchBlock).Memory Field.Weights, rate)

        member _.Copy(source, destination) =
            elementwise.Copy(matrix source, matrix destination)

        member _.Combine(kept, added, subtracted, head, destination) =
            let into = matrix destination
            elementwise.Combine(matrix kept, matrix added, matrix subtracted, into)

            match head with
            | Linear -> ()
            | ScaledTanh scale ->
                use _ = torch.NewDisposeScope()
                let output = into.Tensor.tanh_ ()

                if scale <> 1.0f then
                    output.mul_ (scale.ToScalar()) |> ignore

        member _.HeadBackward(gradient, output, head) =
            match head with
            | Linear -> ()
            | ScaledTanh scale -> elementwise.ScaledTanhBackward(matrix gradient, matrix output, scale)

        member _.Fill(target, value) = elementwise.Fill(matrix target, value)
        member _.Mean source = elementwise.Mean(matrix source)

        member _.SmoothedAction(action, noise, noiseClip, maxAction, destination) =
            elementwise.SmoothedAction(matrix action, matrix noise, noiseClip, maxAction, matrix destination)

        member _.TdTarget(values, reward, notDone, discount, target) =
            elementwise.TdTarget(matrices values, matrix reward, matrix notDone, discount, matrix target)

        member _.SquaredError(values, target, gradients) =
            elementwise.SquaredError(matrices values, matrix target, matrices gradients)

        member _.Dispose() = ()
