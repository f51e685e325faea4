namespace NE.Model.Networks.Simd

open System
open System.Runtime.InteropServices
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels
open NE.Model.Replay

/// A matrix in aligned memory that it owns or only looks at.
[<Sealed>]
type internal SimdMatrix(memory: AlignedMemory, owns: bool, offset: int, rows: int, columns: int, stride: int) =
    let strided: Strided = {
        Memory = NativePtr.add memory.Address offset
        Rows = rows
        Columns = columns
        Stride = stride
    }

    /// A matrix with memory of its own, zeroed. Its rows are padded to whole vectors.
    static member Create(rows: int, columns: int) =
        let stride = PanelLayout.Stride columns
        let memory = new AlignedMemory(AlignedMemory.Floats(rows, stride))
        new SimdMatrix(memory, true, 0, rows, columns, stride)

    /// One column without gaps, padded at its end.
    static member Column(rows: int) =
        new SimdMatrix(new AlignedMemory(PanelLayout.Padded rows), true, 0, rows, 1, 1)

    member _.Rows = rows
    member _.Columns = columns
    member _.Stride = stride
    member _.Strided = strided
    member _.Row i = strided.Row i

    interface IMatrix with
        member _.Rows = rows
        member _.Columns = columns

        member _.Read destination =
            if destination.Length < rows * columns then
                invalidArg (nameof destination) $"{rows} x {columns} floats are needed, there is room for {destination.Length}."

            use pointer = fixed &MemoryMarshal.GetReference destination

            copy strided {
                strided with
                    Memory = pointer
                    Stride = columns
            }

        member _.Write source =
            if source.Length <> rows * columns then
                invalidArg (nameof source) $"{rows} x {columns} floats are needed, {source.Length} were given."

            use pointer = fixed &MemoryMarshal.GetReference source

            copy
                {
                    strided with
                        Memory = pointer
                        Stride = columns
                }
                strided

        member _.Dispose() =
            if owns then
                (memory :> IDisposable).Dispose()

[<Sealed>]
type internal SimdMinibatch(rows: int, shape: TransitionShape) =
    let stride = PanelLayout.Padded shape.BatchWidth
    let memory = new AlignedMemory(AlignedMemory.Floats(rows, stride))

    interface IMinibatch with
        member _.Rows = rows
        member _.Shape = shape

        member _.Gather(source, rowNumbers) =
            if rowNumbers.Length <> rows then
                invalidArg (nameof rowNumbers) $"The minibatch has {rows} rows, {rowNumbers.Length} were named."

            source.Gather(rowNumbers, memory.Address, stride)

        member _.View(first, count) =
            new SimdMatrix(memory, false, first, rows, count, stride) :> IMatrix

        member _.Dispose() = (memory :> IDisposable).Dispose()
