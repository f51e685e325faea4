namespace NE.Model.Networks.Simd

open System
open NE.Model
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels
open NE.Model.Networks.Images

/// The engine on our own vector kernels: everything in aligned memory outside the managed heap, made once; a step allocates nothing.
/// The same bits for every number of threads and every width of the vectors.
[<Sealed>]
type SimdEngine private (width: VectorWidth, convolutions: ConvolutionKind, threads: int) =
    let lanes = new Lanes(threads)
    let products = SimdProducts.At(width, convolutions)
    let strided (m: IMatrix) = (m :?> SimdMatrix).Strided

    /// An engine on this many threads, the calling one included, and the widest vectors of this processor. Convolutions: Winograd's, unless others are
    /// asked for.
    static member Create(threads: int, ?convolutions: ConvolutionKind) : SimdEngine =
        SimdEngine.CreateAt(VectorWidth.best (), threads, ?convolutions = convolutions)

    /// On vectors of another width, for tests.
    static member internal CreateAt(width: VectorWidth, threads: int, ?convolutions: ConvolutionKind) : SimdEngine =
        new SimdEngine(width, defaultArg convolutions ConvolutionKind.Winograd, threads)

    /// For tests of what the threads allocate.
    member internal _.Lanes = lanes

    /// The name of an engine on this processor.
    static member Description = $"simd {int (VectorWidth.best ())} bits"

    interface IEngine with
        member _.Name = $"simd {int width} bits"

        member _.CreateBlock(layout, trainable) = new SimdBlock(layout, trainable, lanes)

        member _.CreateMatrix(rows, columns) = SimdMatrix.Create(rows, columns)
        member _.CreateMinibatch(rows, shape) = new SimdMinibatch(rows, shape)

        member _.CreateImages(rows, shape) = new SimdImages(rows, shape, lanes)

        member _.CreatePass(block, stacks, input, head, backward) =
            new SimdPass(block :?> SimdBlock, stacks, input :?> SimdMatrix, head, backward, products, lanes)

        member _.Adam(block, options) = (block :?> SimdBlock).Adam options

        member _.Polyak(target, online, tau) =
            (target :?> SimdBlock).Polyak(online :?> SimdBlock, tau)

        member _.Copy(source, destination) =
            copy (strided source) (strided destination)

        member _.Fill(matrix, value) = fill (strided matrix) value
        member _.Scale(matrix, factor) = scale (strided matrix) factor
        member _.Clamp(matrix, bound) = clamp (strided matrix) bound

        member _.Minimum(matrix, other) =
            minimum (strided matrix) (strided other)

        member _.Add(matrix, factor, other) =
            add (strided matrix) factor (strided other)

        member _.AddDifference(matrix, factor, a, b) =
            addDifference (strided matrix) factor (strided a) (strided b)

        member _.AddProduct(matrix, factor, a, b) =
            addProduct (strided matrix) factor (strided a) (strided b)

        member _.HeadForward(matrix, head) =
            match head with
            | Linear -> ()
            | ScaledTanh scale -> HeadKernels.scaledTanh (strided matrix) scale 0 matrix.Rows

        member _.HeadBackward(gradient, output, head) =
            match head with
            | Linear -> ()
            | ScaledTanh scale -> scaledTanhBackward (strided gradient) (strided output) scale

        member _.Mean matrix = mean (strided matrix)
        member _.CreateSum() = new HostSum(strided)

        member _.Dispose() = (lanes :> IDisposable).Dispose()
