namespace NE.Model.Replay

open System

/// The layout of a stored row of a pixel task: [newest frame as bytes | a | r | not done | position | back | environment], where the frame is the
/// one that the action led to. An episode of T steps has T + 1 rows; the first holds the frame of the reset and no transition, and is written with
/// the first step. Stacks are rebuilt by `PixelReader`, so each frame is stored once. At 84 x 84 pixels a row has 21,168 bytes, four per number of
/// the action, and 20.
[<Sealed>]
type PixelRows(shape: PixelShape, actionSize: int) =
    let action = PackedBytes.floats shape.FrameBytes
    let reward = action + actionSize
    let notDone = reward + 1
    let position = reward + 2
    let back = reward + 3
    let environment = reward + 4
    let width = reward + 5

    let newest (observation: ReadOnlySpan<float32>) =
        (PackedBytes.read shape.ObservationBytes observation).Slice(shape.ObservationBytes - shape.FrameBytes)

    let readInt (row: ReadOnlySpan<float32>) column =
        BitConverter.SingleToInt32Bits row[column]

    let writeInt (row: Span<float32>) column (value: int) =
        row[column] <- BitConverter.Int32BitsToSingle value

    let writeFrame (row: Span<float32>) who at (observation: ReadOnlySpan<float32>) =
        row.Slice(0, width).Clear()
        (newest observation).CopyTo(PackedBytes.write shape.FrameBytes row)
        row[notDone] <- 1.0f
        writeInt row position at
        writeInt row environment who

    /// Sizes of an observation.
    member _.Shape = shape
    /// Numbers of an action.
    member _.ActionSize = actionSize

    /// Where the row's frame lies in its episode.
    member _.ReadLink(row: ReadOnlySpan<float32>) : FrameLink = {
        Position = readInt row position
        Back = readInt row back
    }

    /// FrameBytes bytes.
    member _.ReadFrame(row: ReadOnlySpan<float32>) : ReadOnlySpan<byte> = PackedBytes.read shape.FrameBytes row

    /// ActionSize numbers.
    member _.ReadAction(row: ReadOnlySpan<float32>) : ReadOnlySpan<float32> = row.Slice(action, actionSize)

    /// Of the step that led to the frame.
    member _.ReadReward(row: ReadOnlySpan<float32>) : float32 = row[reward]

    /// 1 where the value of the frame's state counts, 0 where the task ended.
    member _.ReadNotDone(row: ReadOnlySpan<float32>) : float32 = row[notDone]

    interface ITransitionRows with
        member _.RowFloats = width
        member _.MostRows steps = 2 * steps

        member _.Write(rows, who, at, observation, taken, reward', notDone', next) =
            let first = if at = 0 then 1 else 0

            if at = 0 then
                writeFrame rows who 0 observation

            let row = rows.Slice(first * width, width)
            writeFrame row who (at + 1) next
            taken.CopyTo(row.Slice action)
            row[reward] <- reward'
            row[notDone] <- notDone'
            first + 1

        member _.CreateLinker(source, window, environments) =
            let linker = FrameLinker environments
            let mutable at = window.Head - 1L
            let mutable unknown = environments

            // The newest row of every environment, as far as the window reaches back.
            while unknown > 0 && at >= window.First do
                let row = source.Row at
                let who = readInt row environment

                if who >= 0 && who < environments && not (linker.Knows who) then
                    linker.Know(who, at, readInt row position)
                    unknown <- unknown - 1

                at <- at - 1L

            {
                new IRowLinker with
                    member _.Link(row, number) =
                        let written: ReadOnlySpan<float32> = Span<float32>.op_Implicit row

                        let link =
                            linker.Next(readInt written environment, readInt written position, number)

                        writeInt row back link.Back
            }
