module NE.Actors.Tests.Environments.RescaledTests

open System
open Expecto
open NE.Actors.Environments

/// Shows the action that it was given as its observation.
type private Echo(low: float32[], high: float32[]) =
    member val Disposed = false with get, set

    interface IEnvironment with
        member _.Spec = EnvironmentSpec("Echo", low.Length, low.Length, low, high, 10)
        member _.Reset(_, observation) = observation.Clear()

        member _.Step(action, observation) =
            action.CopyTo observation
            StepResult(0.0, false, false)

        member _.SaveState() = [| 7uy |]

        member _.RestoreState(state, _) =
            if state[0] <> 7uy then
                failtest "another state"

        member this.Dispose() = this.Disposed <- true

let private seen (environment: IEnvironment) (action: float32[]) =
    let observation: float32[] = Array.zeroCreate action.Length
    environment.Step(action, observation) |> ignore
    observation

let private native (environment: IEnvironment) : EnvironmentSpec =
    match environment.Spec.Native with
    | null -> failtest "the actions are not rescaled"
    | native -> native

[<Tests>]
let tests =
    testList "actions that are not symmetric" [
        testCase "are mapped from [-1, 1] to the environment's own bounds, ends and middle exactly"
        <| fun _ ->
            use environment =
                RescaledEnvironment.Fitted(new Echo([| -2.0f; 0.0f |], [| 1.0f; 10.0f |]))

            Expect.equal environment.Spec.ActionLow [| -1.0f; -1.0f |] "low"
            Expect.equal environment.Spec.ActionHigh [| 1.0f; 1.0f |] "high"
            Expect.equal (native environment).ActionHigh [| 1.0f; 10.0f |] "its own"
            Expect.equal (seen environment [| -1.0f; 1.0f |]) [| -2.0f; 10.0f |] "ends"
            Expect.equal (seen environment [| 0.0f; 0.0f |]) [| -0.5f; 5.0f |] "middle"
            let observation = [| 0.0f; 0.0f |]
            environment.RestoreState(environment.SaveState(), observation)

        testCase "while symmetric and equal ones are left as they are"
        <| fun _ ->
            let inner = new Echo([| -2.0f; -2.0f |], [| 2.0f; 2.0f |])
            Expect.isTrue (obj.ReferenceEquals(RescaledEnvironment.Fitted(inner :> IEnvironment), inner)) "itself"

        testCase "and infinite, huge or reversed ones are refused by name, with the environment freed"
        <| fun _ ->
            let most = Single.MaxValue

            for low, high in
                [
                    -1.0f, infinityf
                    -infinityf, infinityf
                    nanf, 1.0f
                    1.0f, -1.0f
                    1.0f, 1.0f
                    -most, most
                    0.0f, most
                    -2e8f, 2e8f
                ] do
                let inner = new Echo([| low |], [| high |])

                try
                    RescaledEnvironment.Fitted(inner :> IEnvironment) |> ignore
                    failtest "expected a refusal"
                with :? EnvironmentUnusableException as problem ->
                    Expect.stringContains problem.Message $"Action 0 of Echo has the bounds [{low}, {high}]" "which"
                    Expect.stringContains problem.Message "finite bounds" "the reason"

                Expect.isTrue inner.Disposed "freed"
    ]
