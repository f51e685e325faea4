module NE.Actors.Tests.Video.CaptionTests

open System
open Expecto
open NE.Actors.Video
open NE.Actors.Tests.Video.Support

let private printable = [ ' ' .. '~' ]

let private glyph character = [
    for row in 0..8 do
        for column in 0..4 -> PixelFont.IsSet(character, column, row)
]

/// The characters whose dots stand at this place of a frame, read as white or not white.
let private readAt (frame: byte[]) (size: VideoSize) left top scale =
    let isWhite x y =
        let at = 3 * (y * size.Width + x)
        frame[at] = 255uy && frame[at + 1] = 255uy && frame[at + 2] = 255uy

    let columns = (size.Width - left) / (scale * PixelFont.Advance)

    String
        .Join(
            "",
            [
                for i in 0 .. columns - 1 do
                    let dots = [
                        for row in 0..8 do
                            for column in 0..4 ->
                                // The middle of the dot.
                                isWhite (left + scale * (i * PixelFont.Advance + column) + scale / 2) (top + scale * row + scale / 2)
                    ]

                    match printable |> List.tryFind (fun character -> glyph character = dots) with
                    | Some character -> string character
                    | None -> "\u00a4"
            ]
        )
        .TrimEnd()

let private draw (size: VideoSize) (heading: string list) (items: string list) =
    let frame = noise 1L size
    Caption.Draw(Span frame, size, ResizeArray heading, ResizeArray items)
    frame

[<Tests>]
let tests =
    testList "A caption" [
        testCase "has dots of its own for every printable character"
        <| fun _ ->
            Expect.equal (printable |> List.map glyph |> List.distinct |> List.length) printable.Length "no two look the same"
            Expect.isFalse (List.contains true (glyph ' ')) "the blank is blank"
            Expect.equal (glyph 'é') (glyph '?') "what has no glyph"

        for size, scale, heading, lines in
            [
                VideoSize(84, 84), 1, "", [ "step 36"; "reward  1.90"; "return  -63.6" ]
                VideoSize(240, 240), 1, "hop  episode 2/3", [ "step 36    reward  1.90  return  -63.6" ]
                VideoSize(480, 480), 2, "hop  episode 2/3", [ "step 36    reward  1.90  return  -63.6" ]
                VideoSize(640, 200), 1, "hop  episode 2/3", [ "step 36    reward  1.90  return  -63.6" ]
            ] do
            testCase $"can be read in {size}, on any picture"
            <| fun _ ->
                let items = [ "step 36  "; "reward  1.90"; "return  -63.6" ]
                let frame = draw size [ "hop"; "episode 2/3" ] items
                let top = size.Height - scale * 10 * lines.Length

                Expect.equal
                    [
                        for i in 0 .. lines.Length - 1 -> readAt frame size scale (top + i * 10 * scale) scale
                    ]
                    lines
                    "at the bottom"

                if heading <> "" then
                    Expect.equal (readAt frame size scale scale scale) heading "at the top"

        testCase "leaves the rest of the picture as it was"
        <| fun _ ->
            let size = VideoSize(120, 100)
            let plain, written = noise 1L size, draw size [ "hop" ] [ "step 1"; "reward 0" ]

            let rows (frame: byte[]) =
                Array.chunkBySize (3 * size.Width) frame

            let changed =
                Array.zip (rows plain) (rows written) |> Array.map (fun (a, b) -> a <> b)

            Expect.equal (Array.countBy id changed |> Map.ofArray |> Map.find true) 22 "one line of text above, one below"
            Expect.isFalse (Array.contains true changed[11..88]) "between them"

        testCase "that does not fit is cut off"
        <| fun _ ->
            let size = VideoSize(32, 32)

            let frame =
                draw size [ String('x', 100) ] [ String('W', 100); "return 1"; "step 5"; "reward 7"; "more" ]

            Expect.isTrue (Array.contains 255uy frame) "what fits is there"
    ]
