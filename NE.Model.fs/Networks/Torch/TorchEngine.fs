namespace NE.Model.Networks.Torch

open System
open NE.Model.Networks
open NE.Model.Networks.Images
open NE.Model.Replay
open TorchSharp

[<Sealed>]
type internal TorchMinibatch(rows: int, shape: TransitionShape, device: TorchDevice) =
    let width = shape.BatchWidth
    let memory = new TorchMemory(rows * width, device)
    // The source writes to host memory; elsewhere one copy per batch follows, which nobody waits for.
    let upload: TorchUpload | null =
        if memory.OnCpu then
            null
        else
            new TorchUpload(memory.Tensor, device)

    interface IMinibatch with
        member _.Rows = rows
        member _.Shape = shape

        member _.Gather(source, rowNumbers) =
            if rowNumbers.Length <> rows then
                invalidArg (nameof rowNumbers) $"The minibatch has {rows} rows, {rowNumbers.Length} were named."

            match upload with
            | null -> source.Gather(rowNumbers, memory.Address, width)
            | upload ->
                source.Gather(rowNumbers, upload.Begin(), width)
                upload.Send()

        member _.View(first, count) =
            new TorchMatrix(memory, false, first, rows, count, width) :> IMatrix

        member _.Dispose() =
            match upload with
            | null -> ()
            | upload -> (upload :> IDisposable).Dispose()

            (memory :> IDisposable).Dispose()

/// The engine on TorchSharp: matrix products by libtorch, everything else by the fused kernels (CPU) or by torch operations (CUDA).
/// All memory and all tensor views are made once; a step creates no tensor on the CPU.
[<Sealed>]
type TorchEngine private (device: TorchDevice, elementwise: IElementwise) =
    let matrix (m: IMatrix) = m :?> TorchMatrix

    /// "cpu" or "cuda:n", of what a configuration says of the device.
    static member private Resolve(device: string) : string =
        LibTorch.ensureLoaded ()

        let known, index =
            match device with
            | "cuda" -> true, 0
            | _ when device.StartsWith("cuda:", StringComparison.Ordinal) -> Int32.TryParse(device.Substring 5)
            | _ -> false, 0

        match device, LibTorch.cudaDevices () with
        | "cpu", _
        | "auto", [] -> "cpu"
        | "auto", _ -> "cuda:0"
        | _ when not known || index < 0 -> invalidArg (nameof device) $"'{device}' is not a device: expected auto, cpu, cuda or cuda:n."
        | _, [] ->
            raise (
                LibTorch.LibTorchException
                    $"libtorch can use no CUDA device here, and compute.device is {device}. NE_ACCELERATOR=cuda ./ne ... builds with CUDA, TORCH_LIB_DIR names another libtorch that has it; `ne doctor` says what is found. compute.device=cpu goes without."
            )
        | _, devices when index >= devices.Length ->
            let found =
                devices |> List.mapi (fun n name -> $"cuda:{n} {name}") |> String.concat ", "

            raise (LibTorch.LibTorchException $"compute.device is {device}, and the CUDA devices here are {found}.")
        | _ -> $"cuda:{index}"

    /// An engine on `device`: "cpu", "cuda", "cuda:n", or "auto" (the first CUDA device, if there is one). `threads` is libtorch's number of
    /// threads inside one operation, for the whole process. Raises LibTorchException when it does not load or has no such device.
    static member Create(device: string, threads: int) : TorchEngine =
        let device = TorchEngine.Resolve device

        if threads < 1 then
            invalidArg (nameof threads) $"At least one thread is needed, {threads} were asked for."

        torch.set_num_threads threads

        if device = "cpu" then
            new TorchEngine(TorchDevice torch.CPU, FusedElementwise())
        else
            // Both for the whole process. cuDNN would round what convolutions multiply to the 10 bits of TF32. Products of matrices are float32
            // by default, and stay so.
            torch.backends.cudnn.allow_tf32 <- false
            torch.backends.cuda.matmul.allow_tf32 <- false
            TorchEngine.OnTorchOperations(torch.device device)

    /// What an engine on `device` computes with: "torch cpu", or "torch" and the GPU's name. Raises as Create does.
    static member Describe(device: string) : string =
        match TorchEngine.Resolve device with
        | "cpu" -> "torch cpu"
        | cuda -> $"torch {LibTorch.cudaDevices()[Int32.Parse(cuda.Substring 5)]}"

    static member private OnTorchOperations(device: torch.Device) =
        let device = TorchDevice device
        new TorchEngine(device, TorchElementwise device)

    /// The CUDA engine's code path on CPU memory, to be compared with the fused kernels.
    static member internal CreateWithTorchOperations() =
        LibTorch.ensureLoaded ()
        torch.set_num_threads 1
        TorchEngine.OnTorchOperations torch.CPU

    interface IEngine with
        member _.Name = $"torch {device.Device}"

        member _.CreateBlock(layout, trainable) =
            new TorchBlock(layout, trainable, device)

        member _.CreateMatrix(rows, columns) =
            TorchMatrix.Create(rows, columns, device)

        member _.CreateMinibatch(rows, shape) = new TorchMinibatch(rows, shape, device)

        member _.CreateImages(rows, shape) =
            if elementwise.IsFused then
                new FusedImages(rows, shape, device)
            else
                new TorchImages(rows, shape, device)

        member _.CreatePass(block, stacks, input, head, backward) =
            new TorchPass(block :?> TorchBlock, stacks, matrix input, head, backward, device, elementwise)

        member _.Adam(block, options) =
            elementwise.Adam(block :?> TorchBlock, options)

        member _.Polyak(target, online, tau) =
            elementwise.Polyak((target :?> TorchBlock).Memory Field.Weights, (online :?> TorchBlock).Memory Field.Weights, tau)

        member _.Copy(source, destination) =
            elementwise.Copy(matrix source, matrix destination)

        member _.Fill(target, value) = elementwise.Fill(matrix target, value)

        member _.Scale(target, factor) =
            elementwise.Scale(matrix target, factor)

        member _.Clamp(target, bound) = elementwise.Clamp(matrix target, bound)

        member _.Minimum(target, other) =
            elementwise.Minimum(matrix target, matrix other)

        member _.Add(target, factor, other) =
            elementwise.Add(matrix target, factor, matrix other)

        member _.AddDifference(target, factor, a, b) =
            elementwise.AddDifference(matrix target, factor, matrix a, matrix b)

        member _.AddProduct(target, factor, a, b) =
            elementwise.AddProduct(matrix target, factor, matrix a, matrix b)

        member _.HeadForward(target, head) = TorchHead.forward (matrix target) head

        member _.HeadBackward(gradient, output, head) =
            match head with
            | Linear -> ()
            | ScaledTanh scale -> elementwise.ScaledTanhBackward(matrix gradient, matrix output, scale)

        member _.Mean source = elementwise.Mean(matrix source)
        member _.CreateSum() = elementwise.CreateSum()

        member _.Dispose() = ()
