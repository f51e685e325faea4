module NE.Model.Tests.Replay.FrameTests

open System
open Expecto
open NE.Model
open NE.Model.Replay
open NE.Model.Tests.Topology.Cases

/// Small enough for many cases, not square, so that a swap of the axes shows.
let private shape = { Height = 3; Width = 2; Stack = 3 }

let private image (draws: Draws) =
    Array.init shape.FrameBytes (fun _ -> byte (draws.NextInt 256L))

/// 3 x height x width of an image, written down index by index.
let private channelFirst (image: byte[]) = [|
    for channel in 0..2 do
        for y in 0 .. shape.Height - 1 do
            for x in 0 .. shape.Width - 1 do
                image[(y * shape.Width + x) * 3 + channel]
|]

/// One stored row, and what the environment showed when it was appended.
type private Row = {
    Frame: byte[]
    Link: FrameLink
    Environment: int
    Episode: int
    Shown: byte[]
}

/// Rows of several environments in an arbitrary order, with episodes of arbitrary length.
let private history environments count (draws: Draws) =
    let stacks = Array.init environments (fun _ -> FrameStack shape)
    let linker = FrameLinker environments
    let left = Array.zeroCreate<int> environments
    let episode = Array.create environments -1
    let position = Array.zeroCreate<int> environments

    [|
        for row in 0L .. int64 count - 1L do
            let environment = int (draws.NextInt(int64 environments))
            let stack = stacks[environment]

            let link =
                if left[environment] = 0 then
                    left[environment] <- between 1 9 draws
                    episode[environment] <- episode[environment] + 1
                    stack.Begin(ReadOnlySpan(image draws))
                    position[environment] <- 0
                    linker.Next(environment, 0, row)
                else
                    left[environment] <- left[environment] - 1

                    if draws.NextInt 10L = 0L then
                        stack.Repeat()
                    else
                        stack.Push(ReadOnlySpan(image draws))

                    position[environment] <- position[environment] + 1
                    linker.Next(environment, position[environment], row)

            {
                Frame = stack.Newest.ToArray()
                Link = link
                Environment = environment
                Episode = episode[environment]
                Shown = stack.Observation.ToArray()
            }
    |]

/// Refuses what lies outside the window: those rows are gone.
let private linksOf (rows: Row[]) (window: Window) = {
    new IFrameLinks with
        member _.Link row =
            if row < window.First || row >= window.Head then
                failtestf "row %d was read, outside of %A" row window

            rows[int row].Link
}

let private stackOf (rows: Row[]) (newestFirst: int64[]) =
    newestFirst |> Array.rev |> Array.collect (fun row -> rows[int row].Frame)

[<Tests>]
let tests =
    testList "frames" [
        law
            "a stack holds the last frames, oldest first, channels first, and the first frame of an episode as often as it is deep"
            (fun seed ->
                let draws = drawsOf seed
                let stack = FrameStack shape
                let images = Array.init 5 (fun _ -> image draws)
                stack.Begin(ReadOnlySpan images[0])

                let expected (indices: int list) =
                    indices |> Seq.map (fun i -> channelFirst images[i]) |> Array.concat

                Expect.equal (stack.Observation.ToArray()) (expected [ 0; 0; 0 ]) "reset"
                stack.Push(ReadOnlySpan images[1])
                Expect.equal (stack.Observation.ToArray()) (expected [ 0; 0; 1 ]) "one step"
                stack.Push(ReadOnlySpan images[2])
                stack.Push(ReadOnlySpan images[3])
                Expect.equal (stack.Observation.ToArray()) (expected [ 1; 2; 3 ]) "three steps"
                Expect.equal (stack.Newest.ToArray()) (channelFirst images[3]) "newest"
                stack.Repeat()
                Expect.equal (stack.Observation.ToArray()) (expected [ 2; 3; 3 ]) "a step without a picture"
                let other = FrameStack shape
                other.Restore stack.Observation
                other.Push(ReadOnlySpan images[4])
                Expect.equal (other.Observation.ToArray()) (expected [ 3; 3; 4 ]) "restored"
                stack.Begin(ReadOnlySpan images[1])
                Expect.equal (stack.Observation.ToArray()) (expected [ 1; 1; 1 ]) "the next episode")

        test "a frame and an observation of another size are refused" {
            let stack = FrameStack shape
            Expect.throwsT<ArgumentException> (fun () -> stack.Push(ReadOnlySpan [| 1uy |])) "frame"
            Expect.throwsT<ArgumentException> (fun () -> stack.Restore(ReadOnlySpan [| 1uy |])) "observation"
        }

        law
            "both stacks of every transition are rebuilt as they were shown, with environments interleaved and old rows evicted"
            (fun seed ->
                let draws = drawsOf seed
                let environments = between 1 4 draws
                let rows = history environments (between 1 120 draws) draws
                let steps = between 1 4 draws

                let window = {
                    First = draws.NextInt(int64 rows.Length)
                    Head = int64 rows.Length
                }

                let links = linksOf rows window
                let chain = Array.zeroCreate (FrameLinks.chainLength shape.Stack steps)

                for row in -2L .. window.Head + 2L do
                    let valid = FrameLinks.chain links window steps row (Span chain)

                    // What a plain search says: the rows of the same episode, oldest first, all those that were ever stored.
                    let episode =
                        if row < 0L || row >= window.Head then
                            [||]
                        else
                            [|
                                for i in 0L .. row do
                                    let other = rows[int i]

                                    if
                                        other.Environment = rows[int row].Environment
                                        && other.Episode = rows[int row].Episode
                                    then
                                        i
                            |]

                    let position = episode.Length - 1

                    let expected =
                        position >= steps
                        && episode[max 0 (position - steps - (shape.Stack - 1))] >= window.First

                    Expect.equal valid expected $"row {row} of {window}, {steps} steps"

                    if valid then
                        Expect.equal (stackOf rows chain[.. shape.Stack - 1]) rows[int row].Shown "next observation"
                        Expect.equal (stackOf rows chain[steps..]) rows[int episode[position - steps]].Shown "observation"

                        Expect.equal (Array.rev chain[.. steps - 1]) episode[position - steps + 1 ..] "the rows of the actions and rewards")

        test "a frame whose predecessor is not known has lost it, so that nothing is made of it" {
            let linker = FrameLinker 2

            Expect.equal
                (linker.Next(1, 4, 10L))
                {
                    Position = 4
                    Back = FrameLinker.Nothing
                }
                "no row of the environment is known"

            Expect.equal (linker.Next(1, 5, 12L)) { Position = 5; Back = 2 } "the one before is"

            Expect.equal
                (linker.Next(1, 7, 13L))
                {
                    Position = 7
                    Back = FrameLinker.Nothing
                }
                "a step is missing"

            linker.Know(0, 3L, 8)
            Expect.equal (linker.Next(0, 9, 20L)) { Position = 9; Back = 17 } "as it was said"
            Expect.equal (linker.Next(0, 0, 21L)) { Position = 0; Back = 0 } "an episode begins"
            let chain = Array.zeroCreate 4

            let links = {
                new IFrameLinks with
                    member _.Link row = {
                        Position = 4
                        Back = if row = 10L then FrameLinker.Nothing else 1
                    }
            }

            Expect.isFalse (FrameLinks.chain links { First = 0L; Head = 11L } 1 10L (Span chain)) "no transition"
        }
    ]
