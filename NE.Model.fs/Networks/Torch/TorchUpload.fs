namespace NE.Model.Networks.Torch

open System
open System.Runtime.InteropServices
open Microsoft.FSharp.NativeInterop
open TorchSharp

/// A device, and how often the host has waited for it: after a download everything that was sent before it is done. One per engine, so
/// that the count belongs to one thread.
[<Sealed>]
type internal TorchDevice(device: torch.Device) =
    let mutable waits = 0L
    let ones = System.Collections.Generic.Dictionary<int, torch.Tensor>()

    member _.Device = device
    member _.IsCpu = (device.``type`` = DeviceType.CPU)
    /// To be called after every download.
    member _.Waited() = waits <- waits + 1L
    /// Number of downloads.
    member _.Waits = waits

    /// 1 x rows, made once and left to its finalizer.
    member _.Ones(rows: int) : torch.Tensor =
        match ones.TryGetValue rows with
        | true, known -> known
        | false, _ ->
            let made =
                torch.ones([| 1L; int64 rows |], dtype = torch.float32, device = device).DetachFromDisposeScope()

            ones[rows] <- made
            made

    /// Waits for everything that was sent.
    member this.Wait() =
        if device.``type`` = DeviceType.CUDA then
            torch.cuda.synchronize device

        this.Waited()

    /// The first float of a tensor on the CPU.
    static member AddressOf(tensor: torch.Tensor) : nativeptr<float32> =
        use pointer = fixed &MemoryMarshal.GetReference tensor.bytes
        NativePtr.ofNativeInt<float32>(NativePtr.toNativeInt pointer)

/// The way of host data to a tensor on a device, without waiting for the copy: two buffers in turn, pinned where the device is CUDA.
/// A buffer is written again only when the host has waited for the device since it was sent, as it does for every loss.
[<Sealed>]
type internal TorchUpload(target: torch.Tensor, device: TorchDevice) =
    let fresh () =
        let plain = torch.zeros (target.shape, dtype = target.dtype)

        let buffer =
            if device.Device.``type`` = DeviceType.CUDA then
                use plain = plain
                plain.pin_memory ()
            else
                plain

        buffer.DetachFromDisposeScope()

    let buffers = Array.init 2 (fun _ -> fresh ())
    let addresses = buffers |> Array.map TorchDevice.AddressOf
    // The device's count when a buffer was sent last.
    let sent = [| -1L; -1L |]
    let mutable current = 0

    /// The buffer to be filled, row-major, before Send.
    member _.Begin() : nativeptr<float32> =
        if sent[current] = device.Waits then
            device.Wait()

        addresses[current]

    /// Sends what was filled in.
    member _.Send() : unit =
        target.copy_ (buffers[current], true) |> ignore
        sent[current] <- device.Waits
        current <- 1 - current

    interface IDisposable with
        member _.Dispose() =
            // A copy may be under way.
            device.Wait()

            for buffer in buffers do
                buffer.Dispose()
