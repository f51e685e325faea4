namespace NE.Model.Networks.Images

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.Simd

/// Images in aligned memory; a part of the job is one of them.
[<Sealed>]
type internal SimdImages(rows: int, shape: ImageShape, lanes: Lanes) =
    let matrix = SimdMatrix.Create(rows, shape.Size)
    // What the job is to read; set before it runs. No shifts: null.
    let mutable pixels = NativePtr.nullPtr<byte>
    let mutable shifts = NativePtr.nullPtr<ImageShift>

    let job = {
        new ILaneJob with
            member _.First(lane, count) = rows * lane / count

            member _.Do row =
                let source = NativePtr.add pixels (row * shape.Size)
                ImageKernels.write source shape (ImageKernels.shiftOf shifts row) (matrix.Row row)
    }

    interface IImages with
        member _.Rows = rows
        member _.Shape = shape
        member _.Matrix = matrix

        member _.Write(given, moved) =
            ImageKernels.check shape rows given moved
            use givenAddress = fixed given
            use movedAddress = fixed moved
            pixels <- givenAddress
            shifts <- movedAddress
            lanes.Run job

        member _.Dispose() = (matrix :> IDisposable).Dispose()
