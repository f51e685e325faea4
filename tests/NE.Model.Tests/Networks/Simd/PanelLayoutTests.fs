module NE.Model.Tests.Networks.Simd.PanelLayoutTests

open System
open Expecto
open Expecto.ExpectoFsCheck
open FSharp.NativeInterop
open NE.Model
open NE.Model.Networks
open NE.Model.Networks.Layers
open NE.Model.Networks.Simd
open NE.Model.Tests.Networks.EngineFixture

[<Tests>]
let tests =
    testList "PanelLayout" [
        testProperty "what is written is what is read, and nothing else is in the memory" (fun (stacks: byte) (widths: byte list) ->
            let widths =
                1 :: 2 :: (widths |> List.truncate 4 |> List.map (fun w -> int w % 70 + 1))

            let layout = BlockLayout.Create(int stacks % 3 + 1, widths)
            let panels = PanelLayout layout
            use memory = new AlignedMemory(panels.Length)
            memory.Span.Fill Single.NaN
            let host = Array.init layout.Length (fun i -> float32 (i + 1))
            panels.FromHost(ReadOnlySpan host, memory)
            let back = Array.zeroCreate<float32> layout.Length
            panels.ToHost(memory, Span back)
            let inside = memory.Span.ToArray()

            back = host
            && panels.Length % 16 = 0
            && Array.sort (inside |> Array.filter (fun x -> x <> 0.0f)) = host)

        testCase "a panel begins on a cache line, whatever lies before it" (fun () ->
            let panels = PanelLayout(BlockLayout.Create(2, [ 11; 7; 5; 1 ]))

            for slot in panels.Slots do
                for panel in slot.Panels do
                    Expect.equal (panel.Weights % 16, slot.Biases % 16) (0, 0) "whole lines")

        testCase "the transposed weights of some inputs are those of the matrix" (fun () ->
            for inputs, outputs, first, count in [ 23, 40, 17, 6; 70, 33, 0, 70; 5, 7, 1, 4 ] do
                let layout = BlockLayout.Create(1, [ inputs; outputs; 2 ])
                let panels = PanelLayout layout
                use memory = new AlignedMemory(panels.Length)
                let host = normals (draws 1L) layout.Length
                panels.FromHost(ReadOnlySpan host, memory)
                use target = new AlignedMemory(outputs * PanelLayout.Padded count)
                let slot = panels.Slot(0, 0)

                for panel in slot.Panels do
                    PanelLayout.TransposePanel(memory.Address, slot, panel, first, count, target.Address)

                for output in 0 .. outputs - 1 do
                    for i in 0 .. count - 1 do
                        let panel, lane = i / 32, i % 32
                        let width = min 32 (PanelLayout.Padded count - 32 * panel)

                        Expect.equal
                            (NativePtr.get target.Address (32 * panel * outputs + output * width + lane))
                            host[output * inputs + first + i]
                            $"{inputs} x {outputs}: output {output}, input {first + i}")

        testCase "the stride of a matrix is an odd number of cache lines" (fun () ->
            for columns in 1..600 do
                let stride = PanelLayout.Stride columns
                Expect.isTrue (stride >= columns && stride % 32 = 16) $"{columns} columns")

        testCase "a matrix of more floats than an int32 counts is refused before there is one" (fun () ->
            let refuse make =
                Expect.throwsC (fun () -> make () |> ignore) (fun error ->
                    Expect.isTrue (error :? ArgumentException) "type"
                    Expect.stringContains error.Message "2147483647 are possible" "what there may be"
                    Expect.stringContains error.Message "learner.batchSize" "what to make smaller")

            use engine: IEngine = SimdEngine.Create 1
            // 65,536 rows 65,552 apart are 2^20 floats in 32 bits.
            refuse (fun () -> box (engine.CreateMatrix(65_536, 65_536)))
            refuse (fun () -> box (engine.CreateMatrix(70_000, 40_000)))
            let shape: NE.Model.Replay.TransitionShape = { ObservationSize = 4; ActionSize = 2 }
            refuse (fun () -> box (engine.CreateMinibatch(1 <<< 27, shape)))
            use lanes = new Lanes(1)
            use block = new SimdBlock(BlockLayout.Create(1, [ 3; 4; 2 ]), true, lanes)
            let products = SimdProducts.At(VectorWidth.best (), ConvolutionKind.Direct)
            use pass = new SimdPassing(block, 1 <<< 30, ParameterGradient, products, [||])
            refuse (fun () -> box (ConvSums(pass, 16)))
            Expect.equal (AlignedMemory.Floats(65_535, 32_768)) 2_147_450_880 "the largest are counted")
    ]
