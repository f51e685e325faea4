/// What the rendering tests share: pictures, a scene of three coloured balls, threads.
module NE.Actors.Tests.Rendering.Picture

open System
open System.Threading
open NE.Actors.MuJoCo
open NE.Actors.Rendering
open NE.Model.Tasks

/// Height x width x 3, the top row first.
type Picture = {
    Width: int
    Height: int
    Bytes: byte[]
} with

    member this.Pixel(x: int, y: int) =
        let at = 3 * (y * this.Width + x)
        this.Bytes[at], this.Bytes[at + 1], this.Bytes[at + 2]

    /// Centre (x, y) of the pixels that one channel dominates (0 red, 1 green, 2 blue), and their number.
    member this.Blob(channel: int) =
        let found = [
            for y in 0 .. this.Height - 1 do
                for x in 0 .. this.Width - 1 do
                    let pixel = [| for c in 0..2 -> int this.Bytes[3 * (y * this.Width + x) + c] |]

                    let others = Seq.max (Seq.removeAt channel pixel)

                    if pixel[channel] > 60 && pixel[channel] > 2 * others then
                        float x, float y
        ]

        match found with
        | [] -> nan, nan, 0
        | _ -> List.averageBy fst found, List.averageBy snd found, found.Length

/// Seen by the fixed camera from the front: a red ball above, a blue one below, a green one at the left. The body of the red one is number 1
/// and can be moved.
let balls =
    """<mujoco>
      <worldbody>
        <light pos="-5 0 3" dir="1 0 -0.5"/>
        <camera name="front" pos="-3 0 1" xyaxes="0 -1 0 0 0 1"/>
        <body pos="0 0 1.6"><freejoint/><geom type="sphere" size="0.2" rgba="1 0 0 1"/></body>
        <body pos="0 0 0.4"><geom type="sphere" size="0.2" rgba="0 0 1 1"/></body>
        <body pos="0 0.8 1"><geom type="sphere" size="0.2" rgba="0 1 0 1"/></body>
      </worldbody>
    </mujoco>"""

/// A simulator in the model's initial pose.
let posed (model: MuJoCoModel) =
    let simulator = new Simulator(model)
    simulator.ResetData()
    simulator.Forward()
    simulator

let draw (renderer: Renderer) =
    let bytes = Array.zeroCreate renderer.FrameBytes
    renderer.Render(Span bytes)

    {
        Width = renderer.Width
        Height = renderer.Height
        Bytes = bytes
    }

/// One picture from a renderer that lives for it alone.
let drawn (simulator: Simulator) width height camera (order: OpenGlKind list) =
    use renderer = new Renderer(simulator, width, height, camera, order)
    draw renderer

/// Runs something on a thread of its own and returns its result or its exception.
let onOwnThread (work: unit -> 'T) : Result<'T, exn> =
    let mutable result = Unchecked.defaultof<Result<'T, exn>>

    let thread =
        Thread(fun () ->
            result <-
                try
                    Ok(work ())
                with error ->
                    Error error)

    thread.Start()
    thread.Join()
    result
