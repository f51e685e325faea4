namespace NE.Model.Agents

open System
open System.IO

/// Mean and variance of every component of the vectors that were added, in double precision (Welford 1962, Technometrics 4(3)).
[<Sealed>]
type RunningMoments(size: int) =
    let mean, squares = Array.zeroCreate<float> size, Array.zeroCreate<float> size
    let mutable count = 0L

    let add i value =
        let before = value - mean[i]
        mean[i] <- mean[i] + before / float count
        squares[i] <- squares[i] + before * (value - mean[i])

    /// Added to a variance before its root is taken; that of Gymnasium's and Stable-Baselines3's wrappers.
    static member Epsilon = 1e-8

    /// Vectors added.
    member _.Count = count
    /// Of a component; 0 before anything was added.
    member _.Mean(i: int) : float = mean[i]

    /// Of a component, over the vectors added, not one fewer; 1 before anything was added.
    member _.Variance(i: int) : float =
        if count = 0L then 1.0 else squares[i] / float count

    /// 1 / deviation of a component.
    member this.Scale(i: int) : float32 =
        float32 (1.0 / sqrt (this.Variance i + RunningMoments.Epsilon))

    /// Adds a vector [size].
    member _.Add(values: ReadOnlySpan<float32>) : unit =
        count <- count + 1L

        for i in 0 .. size - 1 do
            add i (float values[i])

    /// Adds a vector of one component.
    member _.Add(value: float) : unit =
        count <- count + 1L
        add 0 value

    /// Count, means and sums of squared differences.
    member _.State: Codec =
        Codec.all [
            Codec.int64 (fun () -> count) (fun stored -> count <- stored)
            Codec.doubles mean
            Codec.doubles squares
        ]
