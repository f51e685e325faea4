namespace NE.Model.Networks.Images

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.Torch
open TorchSharp

/// Images in a tensor on the CPU, made there.
[<Sealed>]
type internal FusedImages(rows: int, shape: ImageShape, device: TorchDevice) =
    let matrix = TorchMatrix.Create(rows, shape.Size, device)

    interface IImages with
        member _.Rows = rows
        member _.Shape = shape
        member _.Matrix = matrix

        member _.Write(pixels, shifts) =
            ImageKernels.check shape rows pixels shifts
            use pixels = fixed pixels
            use shifts = fixed shifts
            let target = matrix.Strided

            for row in 0 .. rows - 1 do
                let source = NativePtr.add pixels (row * shape.Size)
                ImageKernels.write source shape (ImageKernels.shiftOf shifts row) (target.Row row)

        member _.Dispose() = (matrix :> IDisposable).Dispose()

/// Images on a device: bytes and shifts are sent there, and the rest are torch operations.
[<Sealed>]
type internal TorchImages(rows: int, shape: ImageShape, device: TorchDevice) =
    let matrix = TorchMatrix.Create(rows, shape.Size, device)

    let n, h, w, c =
        int64 rows, int64 shape.Height, int64 shape.Width, int64 shape.Channels

    let zeros (sizes: int64[]) (kind: torch.ScalarType) =
        torch.zeros(sizes, dtype = kind, device = device.Device).DetachFromDisposeScope()

    let bytes = zeros [| n; c; h; w |] torch.uint8
    // Of every image: the lines that become those of the result, and the columns.
    let places = zeros [| n; h + w |] torch.int64

    let sendBytes, sendPlaces =
        new TorchUpload(bytes, device), new TorchUpload(places, device)

    let images = matrix.Tensor.view(n, h, w, c).DetachFromDisposeScope()

    interface IImages with
        member _.Rows = rows
        member _.Shape = shape
        member _.Matrix = matrix

        member _.Write(pixels, shifts) =
            ImageKernels.check shape rows pixels shifts
            use _ = torch.NewDisposeScope()
            let address (upload: TorchUpload) = NativePtr.toVoidPtr (upload.Begin())
            pixels.CopyTo(Span<byte>(address sendBytes, pixels.Length))
            sendBytes.Send()

            let mutable into =
                Span<int64>(address sendPlaces, rows * (shape.Height + shape.Width))

            for row in 0 .. rows - 1 do
                let shift = if shifts.IsEmpty then ImageKernels.unmoved else shifts[row]

                for y in 0 .. shape.Height - 1 do
                    into[y] <- int64 (ImageKernels.source y shift.Down shape.Height)

                for x in 0 .. shape.Width - 1 do
                    into[shape.Height + x] <- int64 (ImageKernels.source x shift.Right shape.Width)

                into <- into.Slice(shape.Height + shape.Width)

            sendPlaces.Send()
            let lines = places.narrow(1L, 0L, h).reshape(n, 1L, h, 1L).expand(n, c, h, w)
            let columns = places.narrow(1L, h, w).reshape(n, 1L, 1L, w).expand(n, c, h, w)
            let moved = bytes.gather(2L, lines).gather(3L, columns)

            images.copy_(moved.permute (0L, 2L, 3L, 1L)).div_(held 255.0f).Increase -0.5f
            |> ignore

        member _.Dispose() =
            (sendBytes :> IDisposable).Dispose()
            (sendPlaces :> IDisposable).Dispose()
            bytes.Dispose()
            places.Dispose()
            images.Dispose()
            (matrix :> IDisposable).Dispose()
