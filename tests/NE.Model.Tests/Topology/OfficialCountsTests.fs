/// What the official code counts on HalfCheetah, from the keys of the variant.
module NE.Model.Tests.Topology.OfficialCountsTests

open System
open Expecto
open NE.Model
open NE.Model.Agents.Plasticity
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

let private settings =
    let pairs = [ for key in Variants.official -> struct (key.Key, key.Value) ]

    match Settings.apply pairs Settings.defaults with
    | Ok settings -> fst (Settings.resolve settings)
    | Error errors -> failtestf "%A" errors

let private rules = GrowthRules.ofSettings settings.Ne Forgetting.Nothing

/// A head of the official critic: three hidden layers of 256, and a LayerNorm before the third ReLU, whose 256 gains count as weights.
let private plan =
    let shape output input = { Out = output; In = input }

    let head = [| shape 256 23; shape 256 256; shape 256 256; shape 1 256 |]

    match
        ErdosRenyi.allocate {
            Stacks = [| head; head |]
            Density = settings.Ne.StartDensity.Value
            Allocation = settings.Ne.Allocation
            DenseEnds = settings.Ne.DenseEnds
            Scope = DensityScope.NetworkAndGains
            Gains = 2 * 256
        }
    with
    | Ok plan -> plan
    | Error problem -> failtest problem

let private started (layer: LayerDensity) draws =
    LayerMask.random layer.Shape.Out layer.Shape.In layer.Active draws

[<Tests>]
let tests =
    testList "the official code's counts on HalfCheetah's critic" [
        test "10,603 of 65,536 weights of a hidden layer are active at the start, 5,778 of 5,888 of the first, all of the last" {
            for head in plan.Stacks do
                Expect.equal (head |> Array.map _.Active) [| 5_778; 10_603; 10_603; 256 |] "active"
        }

        test "the room is 41,825.8, an event grows 334 weights and prunes 133: 10,804, 20,653 and 30,703 after 1, 50 and 100 events" {
            let draws = drawsOf 1L
            let mutable mask = started plan.Stacks[0].[1] draws
            let sums = GrowthSchedule.Sums rules.Growth
            let mutable growth = GrowthSchedule.start rules.Growth mask
            let room = 0.8 * float mask.Size - float mask.ActiveCount
            Expect.floatClose { absolute = 1e-9; relative = 0.0 } room 41_825.8 "n_init_space"
            let counts = ResizeArray [ mask.ActiveCount ]

            for event in 1L .. 100L do
                let struct (quota, next) =
                    GrowthSchedule.quota sums (event * rules.Growth.Interval) mask.ActiveCount growth

                growth <- next

                let change =
                    Evolution.plan
                        rules.Evolution
                        {
                            Layers = [|
                                {
                                    Mask = mask
                                    Elastic = true
                                    Quota = quota
                                    Gradient = normals mask.Size draws
                                    Weights = normals mask.Size draws
                                }
                            |]
                            Dormant = [||]
                        }
                        draws
                    |> Array.head

                Expect.equal (change.Grown.Length, change.Pruned.Length) (334, 133) "grown, pruned"
                mask <- LayerMask.apply change.Grown change.Pruned mask
                counts.Add mask.ActiveCount

            Expect.equal (counts[1], counts[50], counts[100]) (10_804, 20_653, 30_703) "active"
        }

        test "the first layer has negative room, for which we grow nothing where the official code grows -8 and prunes -3 (D8)" {
            let layer = plan.Stacks[0].[0]
            let room = 0.8 * float layer.Shape.Size - float layer.Active
            Expect.equal (int (0.008 * room)) -8 "what the official code grows"
            Expect.equal (int (0.4 * -8.0)) -3 "what it prunes"
            let mask = started layer (drawsOf 2L)

            let struct (quota, _) =
                GrowthSchedule.quota (GrowthSchedule.Sums rules.Growth) 100L mask.ActiveCount (GrowthSchedule.start rules.Growth mask)

            Expect.equal quota 0 "ours"
        }

        test "the critic has density 0.75 at event 189, which the 110 weights that negative pruning activates in the first layer make 188" {
            let draws = drawsOf 3L
            let layers = plan.Stacks[0]
            let sums = GrowthSchedule.Sums rules.Growth
            // Which weights grow is of no matter here.
            let sizes = layers |> Array.map (fun layer -> int layer.Shape.Size)
            let values = sizes |> Array.map (fun size -> normals size draws)

            let noneDormant = [|
                for layer in Seq.take 3 layers -> Array.zeroCreate<bool>(int layer.Shape.Out)
            |]

            let gains = 256
            let all = float (gains + Array.sum sizes)

            let next (masks: LayerMask[], growths: LayerGrowth[]) (event: int64) =
                let quotas =
                    Array.map2
                        (fun (mask: LayerMask) growth -> GrowthSchedule.quota sums (event * rules.Growth.Interval) mask.ActiveCount growth)
                        masks
                        growths

                let before =
                    Array.map3
                        (fun (layer: LayerDensity) mask (struct (quota, _), values) -> {
                            Mask = mask
                            Elastic = layer.Elastic
                            Quota = quota
                            Gradient = values
                            Weights = values
                        })
                        layers
                        masks
                        (Array.zip quotas values)

                let changes =
                    Evolution.plan
                        rules.Evolution
                        {
                            Layers = before
                            Dormant = noneDormant
                        }
                        draws

                Array.map2 (fun (change: TopologyChange) mask -> LayerMask.apply change.Grown change.Pruned mask) changes masks,
                quotas |> Array.map (fun struct (_, growth) -> growth)

            let masks = layers |> Array.map (fun layer -> started layer draws)
            let growths = masks |> Array.map (GrowthSchedule.start rules.Growth)

            let actives =
                [ 1L .. 190L ]
                |> List.scan next (masks, growths)
                |> List.map (fun (masks, _) -> gains + (masks |> Array.sumBy _.ActiveCount))

            let firstEvent more =
                actives |> List.findIndex (fun active -> float (active + more) / all >= 0.75)

            Expect.equal (firstEvent 0) 189 "ours"
            // Three zero weights become active per event there, until none is left: long before.
            Expect.equal (firstEvent 110) 188 "official"
        }

        test "the actor's schedule of T_end critic updates is half over at the end" {
            Expect.equal settings.Ne.Rules.Value.ActorClock ActorClock.Own "own clock"

            let sums =
                GrowthSchedule.Sums {
                    rules.Growth with
                        Shape = GrowthShape.Uniform
                }

            // Its clock ticks with its own updates.
            let half = sums.Progress(rules.Growth.End / int64 settings.Td3.PolicyDelay)

            Expect.floatClose { absolute = 1e-3; relative = 0.0 } half 0.5 "share"
        }
    ]
