namespace NE.Model.Networks

open NE.Model.Networks.ElementwiseKernels

/// A sum in double precision of matrices in host memory.
[<Sealed>]
type internal HostSum(strided: IMatrix -> Strided) =
    let mutable sum = 0.0

    interface ISum with
        member _.Clear() = sum <- 0.0

        member _.AddMeanSquare matrix =
            sum <- sum + meanSquare (strided matrix)

        member _.Value = sum
        member _.Dispose() = ()
