module NE.Model.Tests.Networks.NetworkFormTests

open System
open Expecto
open Expecto.ExpectoFsCheck
open FsCheck.FSharp
open NE.Model
open NE.Model.Networks
open NE.Model.Networks.Layers
open NE.Model.Networks.Simd
open NE.Model.Tests.Networks.EagerNetwork
open NE.Model.Tests.Networks.EngineFixture

let private network = (fst (Settings.resolve Settings.defaults)).Network

/// Parameters of the actor and both critics.
let private total (network: NetworkSettings) observations actions =
    (NetworkForms.actor network observations actions).ParameterCount
    + 2L * (NetworkForms.critic network observations actions).ParameterCount

let private official = {
    network with
        Hidden = Is [ 256; 256 ]
        CriticHidden = Is [ 256; 256; 256 ]
        LayerNorm = LayerNorm.CriticLast
}

/// Of every slot, whether there is a LayerNorm in it.
let private normed (form: NetworkForm) =
    LayerForms.slots form.Layers |> List.map (List.contains LayerForm.LayerNorm)

[<Tests>]
let tests =
    testList "NetworkForm" [
        test "a network is counted as the paper counts it" {
            Expect.equal (total network 17 6) 116_616L "HalfCheetah, Table 1"
            Expect.equal (total network 376 17) 399_379L "Humanoid, Table 1"

            Expect.equal
                (total
                    {
                        network with
                            Hidden = Is [ 256; 256 ]
                    }
                    17
                    6)
                216_328L
                "HalfCheetah, 256-256"
        }

        test "networks too large for a block are refused before anything overflows" {
            let problem stacks hidden =
                try
                    BlockLayout.OfForm(stacks, NetworkForm.Plain [ 17; yield! hidden; 6 ]) |> ignore
                    ""
                with :? ArgumentException as error ->
                    error.Message

            Expect.stringContains
                (problem 2 [ 65536; 65536 ])
                "2 x 17-65536-65536-6 has 8,593,211,404 parameters, 67,000,000 are possible"
                "what is wrong"

            Expect.stringContains (problem 2 [ 65536; 65536 ]) "network.hidden" "what to change"
            Expect.isNotEmpty (problem 2 [ 6144; 6144 ]) "two are more than one"
            Expect.isEmpty (problem 1 [ 6144; 6144 ]) "one"
        }

        test "networks too large to be stored together are refused before anything overflows" {
            let largest = 4 * 67_000_000
            let bytes fields = Agents.GroupState.fieldBytes 4 fields
            Expect.equal (bytes [ largest; largest ]) 2_144_000_036 "actor and critics"

            Expect.throwsC (fun () -> bytes [ largest; largest; largest ] |> ignore) (fun error ->
                Expect.isTrue (error :? ArgumentException) "type"
                Expect.stringContains error.Message "3,216,000,052 bytes in a checkpoint, 2,147,483,591 are possible" "what is wrong"
                Expect.stringContains error.Message "network.hidden" "what to change")
        }

        test "the scale-ups have the ratios of the paper's arithmetic" {
            for observations, actions, expected in
                [
                    17, 6, [ 1.0; 1.91; 2.82; 3.74; 4.65; 5.56 ]
                    27, 8, [ 1.0; 1.88; 2.75; 3.63; 4.50; 5.38 ]
                    111, 8, [ 1.0; 1.68; 2.36; 3.04; 3.72; 4.40 ]
                ] do
                let parameters scale =
                    total
                        {
                            network with
                                Hidden = Is [ 256; 256 ]
                                Scale = scale
                        }
                        observations
                        actions

                let found = [
                    for scale in 0..5 -> Math.Round(float (parameters scale) / float (parameters 0), 2)
                ]

                Expect.equal found expected $"{observations} observations"
        }

        test "a scale-up adds its layers at the actor's front and before the critics' outputs" {
            let scaled = { network with Scale = 2 }
            Expect.equal (NetworkForms.actor scaled 17 6).Widths [ 17; 256; 256; 256; 128; 6 ] "actor"
            Expect.equal (NetworkForms.critic scaled 17 6).Widths [ 23; 256; 128; 256; 256; 1 ] "critic"
        }

        test "the official code's networks have a LayerNorm in the critics' last hidden layer alone" {
            let actor, critic =
                NetworkForms.actor official 17 6, NetworkForms.critic official 17 6

            Expect.equal actor (NetworkForm.Plain [ 17; 256; 256; 6 ]) "actor"
            Expect.equal critic.Widths [ 23; 256; 256; 256; 1 ] "critic"
            Expect.equal (normed critic) [ false; false; true; false ] "LayerNorm"

            let all = {
                official with
                    LayerNorm = LayerNorm.All
            }

            Expect.equal (normed (NetworkForms.actor all 17 6)) [ true; true; false ] "all of the actor"
            Expect.equal (normed (NetworkForms.critic all 17 6)) [ true; true; true; false ] "all of the critic"
        }

        test "CReLU halves the outputs of hidden layers, not what they hand on" {
            let form =
                NetworkForms.critic
                    {
                        network with
                            Activation = Activation.Crelu
                    }
                    17
                    6

            Expect.equal form.Widths [ 23; 256; 128; 1 ] "features"
            Expect.equal (form.Slots |> List.map _.Head.Neurons) [ 128; 64; 1 ] "outputs"
            Expect.equal form.ParameterCount (int64 (24 * 128 + 257 * 64 + 129)) "parameters"
        }

        testPropertyWithConfig
            {
                FsCheckConfig.defaultConfig with
                    maxTest = 100
            }
            "the parameters fill a block without gap or overlap, on the host and in panels"
            (Prop.forAll (Arb.fromGen cases) (fun case ->
                let layout = case.Layout
                let used = Array.zeroCreate<int> layout.Length

                let mark offset count =
                    for i in offset .. offset + count - 1 do
                        used[i] <- used[i] + 1

                for slot in layout.Slots do
                    mark slot.Weights slot.WeightCount
                    mark slot.Biases slot.Outputs

                    if slot.IsNormed then
                        mark slot.Gains slot.Outputs
                        mark slot.Shifts slot.Outputs

                for i in 0 .. used.Length - 1 do
                    Expect.equal used[i] (if i < layout.ParameterCount then 1 else 0) $"float {i}"

                Expect.equal (int64 layout.ParameterCount) (int64 case.Stacks * case.Form.ParameterCount) "count"
                let panels = PanelLayout layout
                use memory = new AlignedMemory(panels.Length)
                memory.Span.Fill Single.NaN
                let host = Array.init layout.Length (fun i -> float32 (i + 1))
                panels.FromHost(ReadOnlySpan host, memory)
                let back = Array.zeroCreate<float32> layout.Length
                panels.ToHost(memory, Span back)
                Expect.equal back host "what is written is what is read"

                Expect.equal
                    (memory.Span.ToArray() |> Array.filter (fun x -> x <> 0.0f) |> Array.sort)
                    host
                    "nothing else is in the memory"))

        test "a LayerNorm changes no draw of the initialisation" {
            let widths = [ 5; 8; 6; 2 ]
            let plain = BlockLayout.Create(2, widths)

            let normed =
                BlockLayout.OfForm(2, NetworkForm.Mlp(widths, Activation.Relu, [ true; false ]))

            let expected, found = plain.Initialise(draws 1L), normed.Initialise(draws 1L)

            for a, b in Seq.zip plain.Slots normed.Slots do
                let count = a.WeightCount + a.Outputs
                Expect.equal (Array.sub found b.Weights count) (Array.sub expected a.Weights count) "weights and biases"

                if b.IsNormed then
                    Expect.all (Array.sub found b.Gains b.Outputs) (fun x -> x = 1.0f) "gains"
                    Expect.all (Array.sub found b.Shifts b.Outputs) (fun x -> x = 0.0f) "shifts"
        }

        test "what is not a network is refused" {
            let refuse make part =
                Expect.throwsC (fun () -> make () |> ignore) (fun error ->
                    Expect.isTrue (error :? ArgumentException) "type"
                    Expect.stringContains error.Message part "message")

            let mlp (widths: int list) activation (normed: bool list) () =
                NetworkForm.Mlp(widths, activation, normed)

            refuse (mlp [ 3; 5; 2 ] Activation.Crelu [ false ]) "must be even; found '3-5-2'"
            refuse (mlp [ 3; 5; 2 ] Activation.Relu []) "1 hidden layers"
            refuse (mlp [ 3; 0; 2 ] Activation.Relu [ false ]) "positive width"
            refuse (mlp [ 3 ] Activation.Relu []) "at least an input and an output"

            let block stacks layers () =
                BlockLayout.OfForm(
                    stacks,
                    {
                        NetworkForm.Plain [ 3; 5 ] with
                            Layers = layers
                    }
                )

            let dense, relu, norm = LayerForm.Dense 5, LayerForm.Relu, LayerForm.LayerNorm

            for layers in
                [
                    []
                    [ relu ]
                    [ relu; dense ]
                    [ dense; relu ]
                    [ dense; dense ]
                    [ dense; norm; dense ]
                    [ dense; norm; relu ]
                    [ dense; relu; norm; dense ]
                    [ dense; relu; relu; dense ]
                ] do
                refuse (block 1 layers) "No pass computes the layers"

            Expect.equal (block 1 [ dense; norm; LayerForm.Crelu; dense ] ()).Widths.Length 3 "layers that there are"
            refuse (block 0 [ dense ]) "at least one network"
        }
    ]
