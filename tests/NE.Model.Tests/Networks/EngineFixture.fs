/// Engines and small helpers for the tests of networks.
module NE.Model.Tests.Networks.EngineFixture

open System
open NE.Model.Networks
open NE.Model.Networks.Torch
open NE.Model.Networks.Simd
open NE.Model

/// libtorch's threads are one for the whole process, so every test asks for one.
let fused: Lazy<IEngine> = lazy (TorchEngine.Create("cpu", 1) :> IEngine)

/// The code path of CUDA, on CPU memory.
let torchOperations: Lazy<IEngine> =
    lazy (TorchEngine.CreateWithTorchOperations() :> IEngine)

/// The torch engine on the first CUDA device, on a machine with one.
let cudaEngines: (string * (unit -> IEngine)) list =
    if Engines.hasCuda () then
        [ "CUDA", (fun () -> TorchEngine.Create("cuda", 1) :> IEngine) ]
    else
        []

/// Our own kernels. An engine belongs to one thread, and tests run side by side: each test makes its own.
let simdAt width threads () : IEngine = SimdEngine.CreateAt(width, threads)

/// Our own kernels in every width, on one thread and on several.
let simdEngines: (string * (unit -> IEngine)) list = [
    "simd 512 bits", simdAt VectorWidth.Bits512 1
    "simd 256 bits", simdAt VectorWidth.Bits256 1
    "simd 128 bits", simdAt VectorWidth.Bits128 1
    "simd 3 threads", simdAt (VectorWidth.best ()) 3
]

/// The engines whose pointwise operations are kernels of ours.
let kernelEngines: (string * (unit -> IEngine)) list =
    ("fused kernels", (fun () -> fused.Value)) :: simdEngines

/// Every engine and code path by name; the caller disposes of what it makes.
let engines: (string * (unit -> IEngine)) list = [
    yield! kernelEngines
    "torch operations", (fun () -> torchOperations.Value)
    yield! cudaEngines
]

let draws seed = Draws.Of(seed, Purpose.Initialisation)

let normals (draws: Draws) count =
    let values = Array.zeroCreate<float32> count
    draws.FillNormal(Span values, 1.0f)
    values

let read (block: IParameterBlock) field =
    let values = Array.zeroCreate<float32> block.Layout.Length
    block.Read(field, Span values)
    values

let write (block: IParameterBlock) field (values: float32[]) = block.Write(field, ReadOnlySpan values)

let readMatrix (matrix: IMatrix) =
    let values = Array.zeroCreate<float32>(matrix.Rows * matrix.Columns)
    matrix.Read(Span values)
    values

let writeMatrix (matrix: IMatrix) (values: float32[]) = matrix.Write(ReadOnlySpan values)

/// A matrix of an engine, filled.
let matrixOf (engine: IEngine) rows columns (values: float32[]) =
    let matrix = engine.CreateMatrix(rows, columns)
    writeMatrix matrix values
    matrix

let largestDifference (a: float32[]) (b: float32[]) =
    Seq.zip a b |> Seq.map (fun (x, y) -> abs (float x - float y)) |> Seq.max

let bits (values: float32[]) =
    values |> Array.map BitConverter.SingleToInt32Bits
