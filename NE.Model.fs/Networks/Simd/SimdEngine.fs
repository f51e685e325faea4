namespace NE.Model.Networks.Simd

open System
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels

/// The engine on our own vector kernels: everything in aligned memory outside the managed heap, made once; a step allocates nothing.
/// The same bits for every number of threads and every width of the vectors.
[<Sealed>]
type SimdEngine private (width: VectorWidth, threads: int) =
    let lanes = new Lanes(threads)
    let products = new LayerProducts(PanelProduct.create width)
    let matrix (m: IMatrix) = m :?> SimdMatrix
    let mutable loss = 0.0

    // Reused, so that handing matrices to a kernel costs no array per step.
    let held: Strided[][] = [| Array.zeroCreate 2; Array.zeroCreate 2 |]

    let strided place (matrices: IMatrix[]) =
        if held[place].Length <> matrices.Length then
            held[place] <- Array.zeroCreate matrices.Length

        for i in 0 .. matrices.Length - 1 do
            held[place].[i] <- (matrix matrices[i]).Strided

        held[place]

    /// An engine on this many threads, the calling one included, and the widest vectors of this processor.
    static member Create(threads: int) : SimdEngine =
        new SimdEngine(VectorWidth.best (), threads)

    /// On vectors of another width, for tests.
    static member internal CreateAt(width: VectorWidth, threads: int) : SimdEngine = new SimdEngine(width, threads)

    /// For tests of what the threads allocate.
    member internal _.Lanes = lanes

    /// The name of an engine on this processor.
    static member Description = $"simd {int (VectorWidth.best ())} bits"

    interface IEngine with
        member _.Name = $"simd {int width} bits"

        member _.CreateBlock(layout, trainable) = new SimdBlock(layout, trainable, lanes)

        member _.CreateMatrix(rows, columns) = SimdMatrix.Create(rows, columns)
        member _.CreateMinibatch(rows, shape) = new SimdMinibatch(rows, shape)

        member _.CreatePass(block, stacks, input, head, backward) =
            new SimdPass(block :?> SimdBlock, stacks, matrix input, head, backward, products, lanes)

        member _.Adam(block, options) = (block :?> SimdBlock).Adam options

        member _.Polyak(target, online, tau) =
            (target :?> SimdBlock).Polyak(online :?> SimdBlock, tau)

        member _.PullTowards(block, anchor, rate) =
            (block :?> SimdBlock).PullTowards(anchor :?> SimdBlock, rate)

        member _.Copy(source, destination) =
            copy (matrix source).Strided (matrix destination).Strided

        member _.Combine(kept, added, subtracted, head, destination) =
            let into = (matrix destination).Strided
            combine (matrix kept).Strided (matrix added).Strided (matrix subtracted).Strided into

            match head with
            | Linear -> ()
            | ScaledTanh scale -> HeadKernels.scaledTanh into scale 0 into.Rows

        member _.HeadBackward(gradient, output, head) =
            match head with
            | Linear -> ()
            | ScaledTanh scale -> scaledTanhBackward (matrix gradient).Strided (matrix output).Strided scale

        member _.Fill(target, value) = fill (matrix target).Strided value
        member _.Mean source = mean (matrix source).Strided

        member _.SmoothedAction(action, noise, noiseClip, maxAction, destination) =
            smoothedAction (matrix action).Strided (matrix noise).Strided noiseClip maxAction (matrix destination).Strided

        member _.TdTarget(values, reward, notDone, discount, target) =
            tdTarget (strided 0 values) (matrix reward).Strided (matrix notDone).Strided discount (matrix target).Strided

        member _.SquaredError(values, target, gradients) =
            loss <- squaredError (strided 0 values) (matrix target).Strided (strided 1 gradients)

        member _.Loss = loss

        member _.Dispose() =
            (lanes :> IDisposable).Dispose()
            (products :> IDisposable).Dispose()
