namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.Simd

/// F(2 x 2, 3 x 3) of Lavin and Gray 2016 at stride 1: tiles of 4 x 4 pixels are transformed (IWinogradTiles), and each of their 16 places has a product
/// of its own, tiles x channels with channels x filters. A few lines of tiles are transformed, multiplied and transformed back at a time, so that they
/// stay in the second-level cache. The gradients come from the derivatives of the same transforms, not from convolutions of their own, so that the
/// transformed gradient by the output serves both.
[<Sealed>]
type internal WinogradConvolution(pass: SimdPassing, slot: PanelSlot, shape: ConvShape, hasInputGradient: bool) =
    let places = WinogradFilters.Places
    let input, output = shape.Input, shape.Output
    let channels, filters = input.Channels, output.Channels
    let weights, gradients = pass.Weights, pass.Gradients
    let biases = NativePtr.add weights slot.Biases
    let hasParameters = NativePtr.toNativeInt gradients <> 0n
    let tiles, lines = (output.Width + 1) / 2, (output.Height + 1) / 2

    // As many lines as make up enough rows of a product.
    let linesAtOnce = (WinogradConvolution.TilesAtOnce + tiles - 1) / tiles |> min lines

    // A cache line apart, since places a power of two apart would share a few sets of the cache.
    let pitch count = linesAtOnce * tiles * count + 16
    let inputPitch, outputPitch = pitch channels, pitch filters
    do pass.Scratch.Reserve(places * (inputPitch + outputPitch))

    let inputTiles, outputTiles =
        WinogradTiles.create pass.Width channels, WinogradTiles.create pass.Width filters

    // Transformed filters lie as the filters do, panel by panel, with more planes.
    let start = slot.Panels[0].Weights

    let placeOf (panel: Panel) =
        (panel.Weights - start) / (ConvForm.Kernel * ConvForm.Kernel) * places

    let planeOf (panel: Panel) = channels * panel.Width
    let length = places * (slot.Panels |> Array.sumBy planeOf)
    let transformed = pass.Memory length

    let total =
        if hasParameters then
            pass.Memory length
        else
            NativePtr.nullPtr

    let inputPanels =
        if hasInputGradient then
            ValueSome(InputPanels(pass, slot, shape, places))
        else
            ValueNone

    let wholeDepth = pass.Runs [| { A = 0; B = 0 } |]
    let zeros = pass.Memory(max (input.Width * channels) (output.Width * filters))
    let one, minusOne = pass.Memory 1, pass.Memory 1

    do
        NativePtr.write one 1.0f
        NativePtr.write minusOne -1.0f

    let product: RunProduct = {
        ARow = channels
        ADepth = 1
        BDepth = 0
        Runs = wholeDepth
        Count = 1
        Depth = channels
        CRow = filters
        Adds = false
        Finish = {
            Bias = NativePtr.nullPtr
            Relu = false
            Activation = NativePtr.nullPtr
            ActivationStride = 0
        }
    }

    let transform () =
        for panel in slot.Panels do
            let from, into =
                NativePtr.add weights panel.Weights, NativePtr.add transformed (placeOf panel)

            WinogradFilters.transform from (planeOf panel) into

    let inputLine (memory: nativeptr<float32>) (line: int) : TileLine = {
        Address = NativePtr.add memory (line * tiles * channels)
        Pitch = inputPitch
        Tiles = tiles
        Channels = channels
    }

    let outputLine (memory: nativeptr<float32>) (line: int) : TileLine = {
        Address = NativePtr.add memory (line * tiles * filters)
        Pitch = outputPitch
        Tiles = tiles
        Channels = filters
    }

    /// B^T d B of `count` lines of tiles from `first` on.
    let transformInput (x: nativeptr<float32>) (first: int) (count: int) (memory: nativeptr<float32>) =
        for line in 0 .. count - 1 do
            let into = inputLine memory line
            let row, down = 2 * (first + line), input.Width * channels
            let d0 = NativePtr.add x (row * down)
            let d1 = NativePtr.add d0 down
            let d2 = NativePtr.add d1 down

            let d3 =
                if row + 3 < input.Height then
                    NativePtr.add d2 down
                else
                    zeros

            for struct (tiles, channel) in inputTiles do
                tiles.Input(&into, 0, d0, d2, minusOne, input.Width, channel)
                tiles.Input(&into, 1, d1, d2, one, input.Width, channel)
                tiles.Input(&into, 2, d2, d1, minusOne, input.Width, channel)
                tiles.Input(&into, 3, d1, d3, minusOne, input.Width, channel)

    /// A dY A^T of the same.
    let transformDelta (delta: nativeptr<float32>) (first: int) (count: int) (memory: nativeptr<float32>) =
        for line in 0 .. count - 1 do
            let into = outputLine memory line
            let row = 2 * (first + line)
            let p = NativePtr.add delta (row * output.Width * filters)

            let q =
                if row + 1 < output.Height then
                    NativePtr.add p (output.Width * filters)
                else
                    zeros

            for struct (tiles, channel) in outputTiles do
                tiles.Delta(&into, p, q, output.Width, channel)

    /// M = V U.
    let multiply (count: int) (v: nativeptr<float32>) (m: nativeptr<float32>) =
        for panel in slot.Panels do
            let product = { product with BDepth = panel.Width }

            for place in 0 .. places - 1 do
                let a = NativePtr.add v (place * inputPitch)
                let b = NativePtr.add transformed (placeOf panel + place * planeOf panel)
                let c = NativePtr.add m (place * outputPitch + panel.Output)
                pass.RunMultiplier.Multiply(&product, a, b, c, count * tiles, 0, panel.Outputs)

    /// sums = sums + V^T dM.
    let addWeights (count: int) (v: nativeptr<float32>) (m: nativeptr<float32>) (sums: nativeptr<float32>) =
        for panel in slot.Panels do
            let product = {
                product with
                    ARow = 1
                    ADepth = channels
                    BDepth = filters
                    Depth = count * tiles
                    CRow = panel.Width
                    Adds = true
            }

            for place in 0 .. places - 1 do
                let a = NativePtr.add v (place * inputPitch)
                let b = NativePtr.add m (place * outputPitch + panel.Output)
                let c = NativePtr.add sums (placeOf panel + place * planeOf panel)
                pass.RunMultiplier.Multiply(&product, a, b, c, channels, 0, panel.Outputs)

    /// dV = dM U^T.
    let multiplyBack (count: int) (m: nativeptr<float32>) (v: nativeptr<float32>) =
        for panel in inputPanels.Value.All do
            let product = {
                product with
                    ARow = filters
                    BDepth = panel.Width
                    Depth = filters
                    CRow = channels
            }

            for place in 0 .. places - 1 do
                let a = NativePtr.add m (place * outputPitch)
                let b = NativePtr.add panel.Weights (place * filters * panel.Width)
                let c = NativePtr.add v (place * inputPitch + panel.First)
                pass.RunMultiplier.Multiply(&product, a, b, c, count * tiles, 0, panel.Channels)

    /// B dV B^T of `count` lines of tiles from `first` on. A line leaves its two lower rows for the next one to finish.
    let transformBack (v: nativeptr<float32>) (first: int) (count: int) (into: nativeptr<float32>) (activation: nativeptr<float32>) =
        for line in 0 .. count - 1 do
            let from = inputLine v line
            let isLast = first + line = lines - 1

            for k in 0..3 do
                let row = 2 * (first + line) + k

                if row < input.Height then
                    let offset = row * input.Width * channels
                    let isFinished = k < 2 || isLast

                    let target: GradientRow = {
                        Address = NativePtr.add into offset
                        Columns = input.Width
                        Row = k
                        Adds = k < 2 && first + line > 0
                        Activation =
                            if isFinished && NativePtr.toNativeInt activation <> 0n then
                                NativePtr.add activation offset
                            else
                                NativePtr.nullPtr
                    }

                    for struct (tiles, channel) in inputTiles do
                        tiles.InputGradient(&from, &target, (if k = 3 then minusOne else one), channel)

    /// Rows of a product from which on tiles of six and five make it up, and the cost of calling it is small.
    static member private TilesAtOnce = 36

    /// Whether it computes such a convolution.
    static member Fits(shape: ConvShape) : bool =
        shape.Stride = 1 && shape.Input.Channels % ConvForm.FilterUnit = 0

    interface IConvolution with
        member _.BeginForward() = transform ()

        member _.Forward(x, y, relu) =
            let v = pass.Scratch.Address
            let m = NativePtr.add v (places * inputPitch)
            let mutable first = 0

            while first < lines do
                let count = min linesAtOnce (lines - first)
                transformInput x first count v
                multiply count v m

                for line in 0 .. count - 1 do
                    let from = outputLine m line
                    let row = 2 * (first + line)
                    let p = NativePtr.add y (row * output.Width * filters)

                    let q =
                        if row + 1 < output.Height then
                            NativePtr.add p (output.Width * filters)
                        else
                            NativePtr.nullPtr

                    for struct (tiles, channel) in outputTiles do
                        tiles.Output(&from, biases, relu, p, q, output.Width, channel)

                first <- first + count

        member _.BeginBackward() =
            match inputPanels with
            | ValueNone -> ()
            | ValueSome panels ->
                // By the filters as they are now, as every gradient by an input is.
                transform ()
                panels.Copy transformed

        member _.SumLength = length

        member _.Backward(x, delta, sums, into, activation) =
            let v = pass.Scratch.Address
            let m = NativePtr.add v (places * inputPitch)
            let mutable first = 0

            while first < lines do
                let count = min linesAtOnce (lines - first)
                transformDelta delta first count m

                if NativePtr.toNativeInt sums <> 0n then
                    transformInput x first count v
                    addWeights count v m sums

                if NativePtr.toNativeInt into <> 0n then
                    multiplyBack count m v
                    transformBack v first count into activation

                first <- first + count

        member _.Gradient(panel, sums) =
            let place, plane = placeOf panel, planeOf panel
            let whole = NativePtr.add total place
            sums.Total(place, places * plane, whole)
            WinogradFilters.gradient whole plane (NativePtr.add gradients panel.Weights)
