namespace NE.Model

open System
open NE.Model.KeyKinds
open NE.Model.Keys

/// What computes a gradient step.
[<RequireQualifiedAccess>]
type EngineKind =
    /// libtorch, through TorchSharp.
    | Torch
    /// Our own vector kernels, on the CPU.
    | Simd

/// How the simd engine computes convolutions of stride 1.
[<RequireQualifiedAccess>]
type ConvolutionKind =
    /// Product by product.
    | Direct
    /// F(2 x 2, 3 x 3) of Lavin and Gray 2016: 16 multiplications for four results instead of 36.
    | Winograd

/// Where the learner computes, and with what.
type ComputeSettings = {
    /// auto, cpu, cuda or cuda:n.
    Device: string
    Engine: Derived<EngineKind>
    Convolutions: ConvolutionKind
    Threads: Derived<int>
}

[<RequireQualifiedAccess>]
module internal ComputeSettings =

    let private key name =
        Keys.key<Machine, ComputeSettings, _> name

    /// Threads that the simd engine was measured to gain from (docs/performance.md).
    let private mostThreads = 2

    let private device = {
        Words = "auto, cpu, cuda or cuda:N"
        Show = id
        Parse =
            fun (text: string) ->
                match text.Trim().ToLowerInvariant() with
                | "auto"
                | "cpu"
                | "cuda" as known -> Ok known
                | other when other.StartsWith "cuda:" && fst (Int32.TryParse(other.Substring 5)) -> Ok other
                | _ -> Error "not a device"
    }

    let private engineOn (machine: Machine) (compute: ComputeSettings) =
        let isOnCuda =
            match compute.Device with
            | "cpu" -> false
            | "auto" -> machine.HasCuda.Invoke()
            | _ -> true

        if isOnCuda then EngineKind.Torch else EngineKind.Simd

    let private engines = choice [ "torch", EngineKind.Torch; "simd", EngineKind.Simd ]

    let section =
        Section.create [
            key "compute.device" Ours device "auto" _.Device (fun v s -> { s with Device = v })
            |> says "Where the learner computes; auto takes CUDA when there is one."

            key "compute.engine" Ours (derived engines) Auto _.Engine (fun v s -> { s with Engine = v })
            |> isFixed
            |> inOldRuns (Is EngineKind.Torch)
            |> auto "torch on CUDA, else simd" engineOn
            |> check (fun _ compute ->
                if
                    compute.Engine = Is EngineKind.Simd
                    && compute.Device.StartsWith("cuda", StringComparison.Ordinal)
                then
                    Some $"computes on the CPU; for compute.device = {compute.Device} it must be torch"
                else
                    None)
            |> says
                "What computes a gradient step: libtorch, or our vector kernels; the bits of a run depend on it. auto: torch on CUDA, else simd."

            key
                "compute.convolutions"
                Ours
                (choice [ "winograd", ConvolutionKind.Winograd; "direct", ConvolutionKind.Direct ])
                ConvolutionKind.Winograd
                _.Convolutions
                (fun v s -> { s with Convolutions = v })
            |> isFixed
            |> inOldRuns ConvolutionKind.Direct
            |> says
                "How the engine simd computes the 3 x 3 convolutions of stride 1 of an encoder; the bits of a run depend on it. winograd multiplies less than half as often."

            key "compute.threads" Ours (derived (int32Of (wholeNumber 1L 256L))) Auto _.Threads (fun v s -> { s with Threads = v })
            // The simd engine gives the same bits on any number of threads.
            |> mayChangeIf (fun compute -> compute.Engine <> Is EngineKind.Torch)
            |> inOldRuns (Is 1)
            |> inUnit "threads"
            |> auto "simd: the cores, at most 2; torch: 1" (fun machine compute ->
                match compute.Engine.Value with
                | EngineKind.Simd -> machine.Cores |> min mostThreads |> max 1
                | EngineKind.Torch -> 1)
            |> says
                "Threads of the learner; auto: with the engine simd, whose bits they do not change, the machine's cores, at most 2; with torch 1, since there they do."
        ]
