/// Policies of every kind, with random parameters, for the tests of exports.
module NE.Actors.Tests.Exports.Policies

open System
open System.Collections.Generic
open System.Runtime.InteropServices
open NE.Actors.Environments
open NE.Actors.Exports
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

let draws seed = Draws.Of(seed, Purpose.Initialisation)

/// What a network begins with, and gains, shifts and biases that have an effect.
let private parameters (layout: BlockLayout) (random: Draws) =
    let values = layout.Initialise random

    for slot in layout.Slots do
        for parameter in slot.PerNeuron do
            for i in parameter.First .. parameter.First + slot.Outputs - 1 do
                values[i] <- values[i] + float32 (random.Uniform(-0.3, 0.3))

    values

/// One with so many bodies.
let ofForm (form: NetworkForm) bodies kind maxAction : Policy =
    let layout, random = BlockLayout.OfForm(1, form), draws 31L

    match List.init bodies (fun _ -> parameters layout random) with
    | [ kept; learning; frozen ] -> Policy.OfBodies(layout, kept, learning, frozen, maxAction, 1L, kind)
    | only -> Policy.OfBlock(layout, ReadOnlySpan only.Head, maxAction, 1L, kind)

/// The same behind a normaliser of random moments, some components of which are often clipped.
let normalising (policy: Policy) : Policy =
    let random = draws 33L
    let size = policy.ObservationSize

    policy.Normalising(
        ObservationNormaliser(
            Array.init size (fun _ -> float32 (random.Uniform(-1.0, 1.0))),
            Array.init size (fun _ -> float32 (exp (random.Uniform(-1.5, 1.5)))),
            2.5f
        )
    )

/// Pictures of three frames.
let pictures: PixelShape = { Height = 33; Width = 29; Stack = 3 }

/// One that sees pictures.
let ofPixels kind : Policy =
    let image: ImageShape = {
        Height = pictures.Height
        Width = pictures.Width
        Channels = pictures.Channels
    }

    let random = draws 32L
    let encoder = BlockLayout.OfForm(1, NetworkForms.encoder image 16)
    let trunk = BlockLayout.OfForm(1, NetworkForms.trunk encoder.Outputs 20)

    let pixels =
        PixelEncoder.OfBlocks(image, 16, 20, parameters encoder random, parameters trunk random)

    (ofForm (NetworkForm.Plain [ 20; 64; 4 ]) 1 kind 1.0f).WithEncoder pixels

/// A task with actions of these bounds, as the agent sees it.
let task (observation: ObservationForm) (low: float32[]) (high: float32[]) =
    RescaledEnvironment.Fitted(EnvironmentSpec("Task-v1", observation, low.Length, low, high, 100))

let vectorTask size low high =
    task (ObservationForm.Vector size) low high

let export (policy: Policy) (task: EnvironmentSpec) =
    PolicyExport.Of(
        policy,
        task,
        [
            KeyValuePair("task", "Task-v1")
            KeyValuePair("step", "2000")
            KeyValuePair("seed", "3")
        ]
    )

/// What the environment behind the policy gets: its actions, mapped to the task's own bounds as RescaledEnvironment does.
let actions (policy: Policy) (task: EnvironmentSpec) (observations: float32[]) : float32[] =
    let rows = observations.Length / policy.ObservationSize
    let found = Array.zeroCreate<float32>(rows * policy.ActionSize)
    policy.Act(ReadOnlySpan observations, Span found, policy.CreateScratch rows)

    match task.Native with
    | null -> found
    | native ->
        found
        |> Array.mapi (fun at action ->
            let low, high =
                float native.ActionLow[at % policy.ActionSize], float native.ActionHigh[at % policy.ActionSize]

            float32 (0.5 * low + 0.5 * high + (0.5 * high - 0.5 * low) * float action))

/// Bytes of pictures as a policy gets them.
let packed (bytes: byte[]) =
    bytes
    |> Array.chunkBySize pictures.ObservationBytes
    |> Array.collect (fun one ->
        let floats = Array.zeroCreate<float32>(PackedBytes.floats one.Length)
        one.CopyTo(MemoryMarshal.AsBytes(Span floats))
        floats)
