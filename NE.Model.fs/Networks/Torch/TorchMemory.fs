namespace NE.Model.Networks.Torch

open System
open System.Runtime.InteropServices
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels
open TorchSharp

/// A flat, zeroed run of float32 on a device: the tensor that owns it and, on the CPU, its address.
[<Sealed>]
type internal TorchMemory(length: int, device: TorchDevice) =
    let tensor =
        torch.zeros ([| int64 length |], dtype = torch.float32, device = device.Device)

    do tensor.DetachFromDisposeScope() |> ignore
    let onCpu = device.IsCpu

    let address =
        if onCpu then
            TorchDevice.AddressOf tensor
        else
            NativePtr.nullPtr<float32>

    member _.Tensor = tensor
    member _.Device = device
    member _.Length = length
    member _.OnCpu = onCpu
    /// The first float; null when the memory is not on the CPU.
    member _.Address = address

    /// A view of rows x columns, its rows `stride` floats apart.
    member _.View(offset: int, rows: int, columns: int, stride: int) =
        let view =
            tensor.as_strided ([| int64 rows; int64 columns |], [| int64 stride; 1L |], int64 offset)

        view.DetachFromDisposeScope()

    member _.Read(destination: Span<float32>) =
        if onCpu then
            Span<float32>(NativePtr.toVoidPtr address, length).CopyTo destination
        else
            use host = tensor.cpu ()
            device.Waited()
            MemoryMarshal.Cast<byte, float32>(host.bytes).CopyTo destination

    member _.Write(source: ReadOnlySpan<float32>) =
        if source.Length <> length then
            invalidArg (nameof source) $"{length} floats are needed, {source.Length} were given."

        if onCpu then
            source.CopyTo(Span<float32>(NativePtr.toVoidPtr address, length))
        else
            use host = torch.zeros ([| int64 length |], dtype = torch.float32)
            source.CopyTo(MemoryMarshal.Cast<byte, float32> host.bytes)
            tensor.copy_ host |> ignore

    interface IDisposable with
        member _.Dispose() = tensor.Dispose()

/// A matrix inside a TorchMemory, with its cached tensor views. It owns the memory or only looks at it.
[<Sealed>]
type internal TorchMatrix(memory: TorchMemory, owns: bool, offset: int, rows: int, columns: int, stride: int) =
    let tensor = memory.View(offset, rows, columns, stride)
    let transposed = tensor.t().DetachFromDisposeScope()
    // Made by the first Write of a matrix that is not on the CPU.
    let mutable upload: TorchUpload | null = null

    /// A matrix with memory of its own.
    static member Create(rows: int, columns: int, device: TorchDevice) =
        new TorchMatrix(new TorchMemory(rows * columns, device), true, 0, rows, columns, columns)

    /// Rows x columns.
    member _.Tensor = tensor
    /// Columns x rows, the same memory.
    member _.Transposed = transposed
    member _.Rows = rows
    member _.Columns = columns

    /// A view of neighbouring columns.
    member _.View(first: int, count: int) =
        new TorchMatrix(memory, false, offset + first, rows, count, stride)

    /// The same memory for the CPU kernels; only where it is on the CPU.
    member _.Strided: Strided = {
        Memory = NativePtr.add memory.Address offset
        Rows = rows
        Columns = columns
        Stride = stride
    }

    interface IMatrix with
        member _.Rows = rows
        member _.Columns = columns

        member this.Read destination =
            if destination.Length < rows * columns then
                invalidArg (nameof destination) $"{rows} x {columns} floats are needed, there is room for {destination.Length}."

            if memory.OnCpu then
                use pointer = fixed &MemoryMarshal.GetReference destination

                copy this.Strided {
                    this.Strided with
                        Memory = pointer
                        Stride = columns
                }
            else
                use whole = tensor.contiguous ()
                use host = whole.cpu ()
                memory.Device.Waited()
                MemoryMarshal.Cast<byte, float32>(host.bytes).CopyTo destination

        member this.Write source =
            if source.Length <> rows * columns then
                invalidArg (nameof source) $"{rows} x {columns} floats are needed, {source.Length} were given."

            if memory.OnCpu then
                use pointer = fixed &MemoryMarshal.GetReference source

                copy
                    {
                        this.Strided with
                            Memory = pointer
                            Stride = columns
                    }
                    this.Strided
            else
                let upload =
                    match upload with
                    | null ->
                        let made = new TorchUpload(tensor, memory.Device)
                        upload <- made
                        made
                    | made -> made

                source.CopyTo(Span<float32>(NativePtr.toVoidPtr (upload.Begin()), source.Length))
                upload.Send()

    interface IDisposable with
        member _.Dispose() =
            match upload with
            | null -> ()
            | upload -> (upload :> IDisposable).Dispose()

            transposed.Dispose()
            tensor.Dispose()

            if owns then
                (memory :> IDisposable).Dispose()

/// The flat tensors of a group of networks.
[<Sealed>]
type internal TorchBlock(layout: BlockLayout, trainable: bool, device: TorchDevice) =
    let fields =
        Array.init (if trainable then 8 else 1) (fun _ -> new TorchMemory(layout.Length, device))

    let field (name: Field) =
        if int name >= fields.Length then
            invalidOp $"A target network has no {name}."

        fields[int name]

    do
        if trainable then
            let ones = Array.create layout.Length 1.0f

            let mask =
                Array.init layout.Length (fun i -> if i < layout.ParameterCount then 1.0f else 0.0f)

            let bound = Array.create layout.Length Single.PositiveInfinity
            (field Field.Beta1Powers).Write(ReadOnlySpan ones)
            (field Field.Beta2Powers).Write(ReadOnlySpan ones)
            (field Field.Mask).Write(ReadOnlySpan mask)
            (field Field.Bound).Write(ReadOnlySpan bound)

    let flat =
        fields
        |> Array.map (fun memory -> lazy (new TorchMatrix(memory, false, 0, 1, layout.Length, layout.Length)))

    member _.Layout = layout
    member _.Memory name = field name

    /// The layer's weights (or their gradient), outputs x inputs.
    member _.WeightsView(name, slot: LayerSlot) =
        new TorchMatrix(field name, false, slot.Weights, slot.Outputs, slot.Inputs, slot.Inputs)

    /// One value per output of a layer, 1 x outputs, from an offset of its slot (or their gradient).
    member _.OutputsView(name, slot: LayerSlot, offset: int) =
        new TorchMatrix(field name, false, offset, 1, slot.Outputs, slot.Outputs)

    /// The addresses for the fused Adam kernel.
    member _.AdamMemory: AdamMemory = {
        Weights = fields[int Field.Weights].Address
        Gradients = fields[int Field.Gradients].Address
        FirstMoments = fields[int Field.FirstMoments].Address
        SecondMoments = fields[int Field.SecondMoments].Address
        Beta1Powers = fields[int Field.Beta1Powers].Address
        Beta2Powers = fields[int Field.Beta2Powers].Address
        Mask = fields[int Field.Mask].Address
        Bound = fields[int Field.Bound].Address
        Length = layout.Length
        Walk = AdamWalk.Whole
    }

    interface IParameterBlock with
        member _.Layout = layout
        member _.Trainable = trainable
        member _.Read(name, destination) = (field name).Read destination
        member _.Write(name, source) = (field name).Write source

        member _.Flat name =
            field name |> ignore
            flat[int name].Value

        member _.IsFinite name =
            let memory = field name

            if memory.OnCpu then
                isFinite memory.Address memory.Length
            else
                use difference = memory.Tensor - memory.Tensor
                use sum = difference.sum ()
                let isFinite = (sum.item<float32>() = 0.0f)
                device.Waited()
                isFinite

        member _.Dispose() =
            for view in flat do
                if view.IsValueCreated then
                    (view.Value :> IDisposable).Dispose()

            for memory in fields do
                (memory :> IDisposable).Dispose()
