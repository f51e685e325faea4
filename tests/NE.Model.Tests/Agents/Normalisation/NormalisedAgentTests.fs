/// Learners whose networks read normalised rows, beside learners that get such rows.
module NE.Model.Tests.Agents.Normalisation.NormalisedAgentTests

open System
open System.Collections.Generic
open Expecto
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture

let private size = shape.ObservationSize

/// Rows of one environment, whose observations are of very different size.
let private raw =
    lazy
        (let random = Draws.Of(17L, Purpose.Exploration)
         let rows = Array.zeroCreate<float32>(600 * shape.StoredWidth)
         let values = Array.zeroCreate<float32> size

         let observe () =
             random.FillNormal(Span values, 1.0f)
             values |> Array.mapi (fun i value -> 10.0f ** float32 (i - 3) * (value + 2.0f))

         let mutable now = observe ()

         for row in 0..599 do
             let next, at = observe (), row * shape.StoredWidth
             now.CopyTo(rows, at)
             random.FillUniform(Span(rows, at + shape.Action, shape.ActionSize), MaxAction)
             rows[at + shape.Reward] <- float32 (random.Uniform(-20.0, 60.0))
             rows[at + shape.NotDone] <- if row % 100 = 99 then 0.0f else 1.0f
             next.CopyTo(rows, at + shape.NextObservation)
             now <- if row % 100 = 99 then observe () else next

         rows)

let private clip = 2.0f

/// x within the clip.
let private bound (x: float32) = MathF.Min(MathF.Max(x, -clip), clip)

let private moments () =
    let source, observations =
        HeldRows(raw.Value, shape.StoredWidth), RunningMoments size

    let returns, rewards =
        DiscountedReturns(1, td3.Learner.Discount, shape), RunningMoments 1

    for row in 0L .. source.Window.Head - 1L do
        observations.Add(((source :> ITransitionSource).Row row).Slice(0, size))
        rewards.Add(returns.Add(source, 0L, row))

    observations, rewards

let private observation (moments: RunningMoments) (values: float32[]) =
    values
    |> Array.mapi (fun i x -> bound ((x - float32 (moments.Mean i)) * moments.Scale i))

/// The rows as networks are to read them.
let private prepared (normalise: NormaliseSettings) =
    let observations, rewards = moments ()

    raw.Value
    |> Array.chunkBySize shape.StoredWidth
    |> Array.collect (fun row ->
        let row = Array.copy row

        if normalise.Observations then
            (observation observations row[.. size - 1]).CopyTo(row, 0)
            (observation observations row[shape.NextObservation ..]).CopyTo(row, shape.NextObservation)

        if normalise.Rewards then
            row[shape.Reward] <- bound (row[shape.Reward] * rewards.Scale 0)

        row)

let private learn (agent: ILearner) (rows: float32[]) count =
    let source = HeldRows(rows, shape.StoredWidth)

    for _ in 1..count do
        agent.Update(source, source.Window)

/// Everything that is stored but for the moments.
let private state (agent: ILearner) =
    digest agent |> Array.filter (fun (name, _) -> name <> "normaliser")

let private act (policy: Policy) (observation: float32[]) =
    let action = Array.zeroCreate<float32> policy.ActionSize
    policy.Act(ReadOnlySpan observation, Span action, policy.CreateScratch())
    action

let private normalising observations rewards (settings: Settings) = {
    settings with
        Normalise.Observations = observations
        Normalise.Rewards = rewards
        Normalise.Clip = float clip
}

let private given (policy: Policy) =
    Dictionary(
        dict [
            for network in (policy.Portable()).Networks do
                for tensor in network.Tensors ->
                    tensor.Name,
                    {
                        Shape = Array.ofList tensor.Shape
                        Values = network.Read tensor
                    }
        ]
    )

let private problems keys =
    match Settings.apply keys Settings.defaults with
    | Error problem -> failtest $"%A{problem}"
    | Ok settings -> Settings.validate (fst (Settings.resolve settings))

[<Tests>]
let tests =
    testList "Normalised learners" [
        for title, learner in [ "td3", td3; "sac", sac; "ne", small ] do
            for engine, settings in onEachEngine learner do
                for observations, rewards in [ true, true; true, false; false, true ] do
                    test
                        $"{title} on {engine}, observations {observations}, rewards {rewards}: learns as if the rows were stored normalised" {
                        let settings = normalising observations rewards settings
                        use agent = create settings
                        use other = create (normalising false false settings)
                        let prepared = prepared settings.Normalise
                        learn agent raw.Value 45
                        learn other prepared 45
                        Expect.equal (state agent) (state other) "the state"

                        let rows, ready =
                            HeldRows(raw.Value, shape.StoredWidth), HeldRows(prepared, shape.StoredWidth)

                        Expect.equal
                            (shown (agent.Measure(rows, rows.Window, true)))
                            (shown (other.Measure(ready, ready.Window, true)))
                            "metrics and probe"

                        Expect.equal (agent.Probe(rows, rows.Window)) (other.Probe(ready, ready.Window)) "the probe"
                        Expect.equal (agent.Gradients raw.Value) (other.Gradients prepared) "gradients"
                        let policy, plain = agent.Policy(), other.Policy()
                        let moments, _ = moments ()

                        for row in 0..19 do
                            let at = row * shape.StoredWidth
                            let seen = raw.Value[at .. at + size - 1]

                            Expect.equal
                                (act policy seen)
                                (act plain (if observations then observation moments seen else seen))
                                "the action"

                            Expect.equal (act (Policy.OfBytes(ReadOnlySpan(policy.ToBytes()))) seen) (act policy seen) "of its bytes"
                    }

        test "off, the clip changes nothing and nothing is stored of it" {
            use agent = create td3
            use other = create { td3 with Normalise.Clip = 0.5 }
            learn agent raw.Value 10
            learn other raw.Value 10
            Expect.equal (digest agent) (digest other) "the state"
            Expect.isFalse (digest agent |> Array.exists (fun (name, _) -> name = "normaliser")) "no component"
        }

        test "measuring and probing count no row" {
            use agent = create (normalising true true td3)
            let rows = HeldRows(raw.Value, shape.StoredWidth)
            let before = digest agent
            agent.Measure(rows, rows.Window, true) |> ignore
            Expect.equal (digest agent) before "the state"
        }

        test "a state of a learner that normalises is refused by one that does not, and the other way round" {
            use agent = create (normalising true true td3)
            use plain = create td3
            use less = create (normalising true false td3)
            learn agent raw.Value 3
            Expect.throwsT<IO.InvalidDataException> (fun () -> agent.Restore(plain.Save())) "no moments"
            Expect.throwsT<IO.InvalidDataException> (fun () -> less.Restore(agent.Save())) "moments of rewards"
        }

        test "a normalised actor is not taken over, and a plain one not where observations are normalised" {
            use normalised = create (normalising true false td3)
            use plain = create td3

            let refuses (learner: ILearner) policy fragment =
                let before = digest learner

                try
                    learner.Adopt(given policy)
                    failtest "it was taken"
                with :? ArgumentException as problem ->
                    Expect.stringContains problem.Message fragment "why"

                Expect.equal (digest learner) before "nothing has changed"

            refuses plain (normalised.Policy()) "normalised by the moments of its own run"
            refuses normalised (normalised.Policy()) "normalised by the moments of its own run"
            refuses normalised (plain.Policy()) "normalise.observations=off"
            use rewards = create (normalising false true td3)
            rewards.Adopt(given (plain.Policy()))
        }

        test "pictures and cycles are refused in words" {
            for key, why in
                [
                    "normalise.observations", "scaled to [-0.5, 0.5] already"
                    "normalise.rewards", "n-step returns"
                ] do
                for learner in [ "drq"; "drqv2" ] do
                    match
                        problems [ struct (key, "on"); struct ("run.learner", learner) ]
                        |> List.filter (fun problem -> problem.Key = key)
                    with
                    | [ problem ] -> Expect.stringContains problem.Problem why learner
                    | other -> failtest $"%A{other}"

                match
                    problems [ struct (key, "on"); struct ("run.environment", "cycle:Hopper-v4,Ant-v4") ]
                    |> List.filter (fun problem -> problem.Key = key)
                with
                | [ problem ] -> Expect.stringContains problem.Problem "of a cycle" "the cycle"
                | other -> failtest $"%A{other}"

                for learner in [ "td3"; "sac" ] do
                    Expect.isEmpty (problems [ struct (key, "on"); struct ("run.learner", learner) ]) learner
        }
    ]
