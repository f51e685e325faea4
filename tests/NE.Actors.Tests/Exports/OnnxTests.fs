/// Exported policies in ONNX Runtime, which is a program of others, beside the policies themselves.
module NE.Actors.Tests.Exports.OnnxTests

open System
open Expecto
open Microsoft.ML.OnnxRuntime
open Microsoft.ML.OnnxRuntime.Tensors
open NE.Actors.Environments
open NE.Actors.Exports
open NE.Actors.Tests.Exports.Policies
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

/// Random observations of each policy of numbers.
let private count = 10_000

let private session (export: PolicyExport) =
    new InferenceSession(OnnxFile.Bytes(export, "test"))

let private run (session: InferenceSession) (input: NamedOnnxValue) =
    use results = session.Run([| input |])
    Expect.equal (Seq.head results).Name "action" "its only output"
    let tensor = (Seq.head results).AsTensor<float32>().ToDenseTensor()
    tensor.Dimensions.ToArray(), tensor.Buffer.ToArray()

let private worst (expected: float32[]) (found: float32[]) =
    Expect.equal found.Length expected.Length "numbers"

    Seq.map2 (fun (x: float32) (y: float32) -> abs (float x - float y)) expected found
    |> Seq.max

/// Of the task's own actions, where it is more than 1: what 1e-6 is measured by.
let private largestBound (task: EnvironmentSpec) =
    let own = task.Native |> Option.ofObj |> Option.defaultValue task

    Seq.append own.ActionLow own.ActionHigh
    |> Seq.map (abs >> float)
    |> Seq.max
    |> max 1.0

let private acts (policy: Policy) task =
    use session = session (export policy task)
    let observations = Array.zeroCreate<float32>(count * policy.ObservationSize)
    (draws 8L).FillNormal(Span observations, 1.0f)

    let shape, found =
        run
            session
            (NamedOnnxValue.CreateFromTensor(
                "observation",
                DenseTensor<float32>(Memory observations, ReadOnlySpan [| count; policy.ObservationSize |])
            ))

    Expect.equal shape [| count; policy.ActionSize |] "an action for each observation"
    let expected = actions policy task observations
    Expect.isGreaterThan (Array.distinct expected).Length (count / 2) "actions that differ"
    Expect.isLessThan (worst expected found) (1e-6 * largestBound task) "the same actions"

let private mlp widths activation normed =
    NetworkForm.Mlp(widths, activation, normed)

let private symmetric size =
    Array.create size -0.8f, Array.create size 0.8f

let private uneven = [| -2.0f; -1.0f; 0.0f |], [| 1.0f; 1.0f; 0.5f |]

[<Tests>]
let tests =
    testList "Exported to ONNX" [
        for title, form in
            [
                "ReLU", NetworkForm.Plain [ 17; 256; 256; 3 ]
                "no hidden layer", NetworkForm.Plain [ 5; 3 ]
                "LayerNorm and ReLU", mlp [ 17; 128; 64; 3 ] Activation.Relu [ true; true ]
                "CReLU", mlp [ 11; 64; 64; 3 ] Activation.Crelu [ false; false ]
                "LayerNorm and CReLU", mlp [ 11; 64; 64; 3 ] Activation.Crelu [ true; false ]
            ] do
            for bodies in [ 1; 3 ] do
                test $"{title}, {bodies} bodies: 10,000 observations within 1e-6" {
                    acts (ofForm form bodies ActionForm.Deterministic 0.8f) (vectorTask form.Inputs <|| symmetric 3)
                    acts (ofForm form bodies ActionForm.Deterministic 1.0f) (vectorTask form.Inputs <|| uneven)
                }

        for kind, bodies in
            [
                ActionForm.Deterministic, 1
                ActionForm.Deterministic, 3
                ActionForm.SquashedGaussian, 1
            ] do
            test $"%A{kind}, {bodies} bodies, behind a normaliser: 10,000 observations within 1e-6" {
                let policy =
                    normalising (ofForm (NetworkForm.Plain [ 17; 128; 64; 6 ]) bodies kind 1.0f)

                acts policy (vectorTask 17 (Array.create policy.ActionSize -1.0f) (Array.create policy.ActionSize 1.0f))
            }

        for bodies in [ 1; 3 ] do
            test $"the mean of a distribution, {bodies} bodies: 10,000 observations within 1e-6" {
                let policy =
                    ofForm (NetworkForm.Plain [ 9; 128; 128; 6 ]) bodies ActionForm.SquashedGaussian 1.0f

                acts policy (vectorTask 9 <|| uneven)
            }

        for kind in [ ActionForm.Deterministic; ActionForm.SquashedGaussian ] do
            test $"%A{kind}: pictures as bytes, within 1e-6" {
                let policy = ofPixels kind
                let size = policy.ActionSize

                let task =
                    task (ObservationForm.Pixels pictures) (Array.create size -1.0f) (Array.create size 1.0f)

                use session = session (export policy task)
                let random, frames = draws 9L, 200

                let bytes =
                    Array.init (frames * pictures.ObservationBytes) (fun _ -> byte (random.NextInt 256L))

                let shape, found =
                    run
                        session
                        (NamedOnnxValue.CreateFromTensor(
                            "observation",
                            DenseTensor<byte>(Memory bytes, ReadOnlySpan [| frames; pictures.Channels; pictures.Height; pictures.Width |])
                        ))

                Expect.equal shape [| frames; size |] "an action for each"
                Expect.isLessThan (worst (actions policy task (packed bytes)) found) 1e-6 "the same actions"
            }

        test "a task of a cycle: its own sizes, and the actions of the padded policy" {
            let policy =
                ofForm (NetworkForm.Plain [ 12; 32; 5 ]) 1 ActionForm.Deterministic 1.0f

            let task = vectorTask 8 <|| uneven
            use session = session (export policy task)
            let own = Array.zeroCreate<float32> 8
            (draws 10L).FillNormal(Span own, 1.0f)

            let _, found =
                run session (NamedOnnxValue.CreateFromTensor("observation", DenseTensor<float32>(Memory own, ReadOnlySpan [| 1; 8 |])))

            let padded = Array.zeroCreate<float32> 5
            policy.Act(ReadOnlySpan(Array.append own (Array.zeroCreate 4)), Span padded, policy.CreateScratch())
            let low, high = uneven

            let expected =
                Array.init 3 (fun i -> 0.5f * (low[i] + high[i]) + 0.5f * (high[i] - low[i]) * padded[i])

            Expect.isLessThan (worst expected found) 1e-6 "its actions"
        }

        test "says what it is and where it comes from" {
            let policy = ofForm (NetworkForm.Plain [ 7; 16; 3 ]) 1 ActionForm.Deterministic 1.0f
            use session = session (export policy (vectorTask 7 <|| uneven))
            let model = session.ModelMetadata
            Expect.equal model.ProducerName "NE.Actors" "producer"

            for key, value in
                [
                    "format", "ne-policy 1"
                    "task", "Task-v1"
                    "step", "2000"
                    "seed", "3"
                    "observation", "float32 [7]"
                    "action", "float32 [3]"
                    "action_low", "[-2, -1, 0]"
                    "action_high", "[1, 1, 0.5]"
                    "networks", """{"actor":["Linear","ReLU","Linear"]}"""
                    "computes", "action = action.offset + action.scale * tanh(u), u = actor(x), x = observation"
                ] do
                Expect.equal (model.CustomMetadataMap[key]) value key

            Expect.equal (Seq.toList session.InputMetadata["observation"].Dimensions) [ -1; 7 ] "any number of observations"
        }

        test "says that it normalises, in another version of the format" {
            let policy =
                normalising (ofForm (NetworkForm.Plain [ 7; 3 ]) 1 ActionForm.Deterministic 1.0f)

            let export = export policy (vectorTask 7 <|| uneven)

            for key, value in
                [
                    "format", "ne-policy 2"
                    "networks", """{"normaliser":["Normalise clip 2.5"],"actor":["Linear"]}"""
                    "computes",
                    "action = action.offset + action.scale * tanh(u), u = actor(x), x = normaliser(observation), "
                    + "normaliser(o) = min(max((o - normaliser.0.mean) * normaliser.0.scale, -clip), clip)"
                ] do
                Expect.equal export.Metadata[key] value key

            Expect.equal
                [ for tensor in export.Tensors -> tensor.Name, List.ofSeq tensor.Shape ]
                [
                    "normaliser.0.mean", [ 7 ]
                    "normaliser.0.scale", [ 7 ]
                    "actor.0.weight", [ 3; 7 ]
                    "actor.0.bias", [ 3 ]
                    "action.scale", [ 3 ]
                    "action.offset", [ 3 ]
                ]
                "tensors"
        }

        test "the same policy is the same file" {
            let policy = ofPixels ActionForm.SquashedGaussian

            let task =
                task (ObservationForm.Pixels pictures) [| -1.0f; -1.0f |] [| 1.0f; 1.0f |]

            let bytes () =
                OnnxFile.Bytes(export policy task, "test")

            Expect.equal (bytes ()) (bytes ()) "bytes"
        }
    ]
