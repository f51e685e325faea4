/// The engines by name.
module NE.Model.Networks.Engines

open NE.Model
open NE.Model.Networks.Simd
open NE.Model.Networks.Torch

/// The engine that resolved settings name. Only torch loads libtorch. Raises LibTorchException when it does not load or has no such device.
let create (compute: ComputeSettings) : IEngine =
    match compute.Engine.Value with
    | EngineKind.Torch -> TorchEngine.Create(compute.Device, compute.Threads.Value)
    | EngineKind.Simd -> SimdEngine.Create(compute.Threads.Value, compute.Convolutions)

/// What the engine is on this machine, such as "simd 512 bits", without making one. Raises as `create` does.
let describe (compute: ComputeSettings) : string =
    match compute.Engine.Value with
    | EngineKind.Torch -> TorchEngine.Describe compute.Device
    | EngineKind.Simd -> SimdEngine.Description

/// Whether libtorch can use a CUDA device. Loads libtorch only if it has a CUDA part.
let hasCuda () : bool = LibTorch.hasCuda ()
