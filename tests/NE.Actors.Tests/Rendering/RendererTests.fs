module NE.Actors.Tests.Rendering.RendererTests

open System
open System.Diagnostics
open System.IO
open System.Runtime.InteropServices
open System.Threading
open System.Threading.Tasks
open Expecto
open NE.Model
open NE.Actors.Environments
open NE.Actors.MuJoCo
open NE.Actors.Rendering
open NE.Actors.Tests.DurableSupport
open NE.Actors.Tests.Rendering.Picture
open NE.Model.Tasks

[<DllImport("libc")>]
extern nativeint private getenv(string name)

[<DllImport("libEGL.so.1")>]
extern nativeint private eglGetCurrentContext()

[<DllImport("libEGL.so.1")>]
extern nativeint private eglGetCurrentDisplay()

[<DllImport("libEGL.so.1")>]
extern uint32 private eglQueryContext(nativeint display, nativeint context, int attribute, int& value)

let private defaults = List.ofSeq OpenGlKind.Order

let private front = Camera.Fixed 0

/// A ball scene and a renderer of it, on the calling thread.
let private withBalls width height camera (body: Simulator -> Renderer -> unit) =
    use model = MuJoCoModel.FromXml("balls", balls)
    use simulator = posed model
    use renderer = new Renderer(simulator, width, height, camera)
    body simulator renderer

let private throwsWith<'E when 'E :> exn> (part: string) (body: unit -> unit) =
    try
        body ()
        failtestf "expected %s" typeof<'E>.Name
    with :? 'E as error ->
        Expect.stringContains error.Message part "message"

/// Memory of this process in bytes, after everything unused was given back.
let private residentBytes () =
    GC.Collect()
    use own = Process.GetCurrentProcess()
    own.WorkingSet64

[<Tests>]
let tests =
    testList "a renderer" [
        test "the same pose is the same picture: on one thread, on several at once, and with every kind of EGL" {
            let model = MuJoCoModel.OfRobot "ant"
            use simulator = posed model
            use first = new Renderer(simulator, 84, 84, front, [ OpenGlKind.EglSurfaceless ])
            use second = new Renderer(simulator, 84, 84, front, [ OpenGlKind.EglDevice ])
            let expected = draw first
            Expect.stringStarts first.OpenGl "EGL surfaceless, " "kind"
            Expect.stringStarts second.OpenGl "EGL device, " "kind"
            Expect.equal (draw second) expected "another kind, its context current after the other's"
            Expect.equal (draw first) expected "back to the first"

            // Each has its own simulator on the shared model, and all make their contexts and draw at the same time.
            let pictures =
                Array.Parallel.map
                    (fun _ ->
                        onOwnThread (fun () ->
                            use own = posed model
                            use renderer = new Renderer(own, 84, 84, front)
                            draw renderer, draw renderer))
                    [| 1..3 |]

            for picture in pictures do
                Expect.equal picture (Ok(expected, expected)) "another thread"

            let red, green, blue = expected.Pixel(42, 5)
            Expect.isTrue (blue > red && blue > green) $"the sky is blue, not {(red, green, blue)}"
            let spread = expected.Bytes |> Array.distinct |> Array.length
            Expect.isGreaterThan spread 50 "a picture has many levels"
        }

        test "the top row is the first and the left column too, at any width" {
            for width, height in [ 85, 63; 64, 64; 1, 1 ] do
                withBalls width height front (fun _ renderer ->
                    let picture = draw renderer
                    Expect.hasLength picture.Bytes (3 * width * height) "bytes"

                    if width > 1 then
                        let _, red, reds = picture.Blob 0
                        let left, middle, greens = picture.Blob 1
                        let _, blue, blues = picture.Blob 2
                        Expect.all [ reds; greens; blues ] (fun count -> count > 20) "three balls"
                        Expect.isTrue (red < middle && middle < blue) $"red {red} above green {middle} above blue {blue}"
                        Expect.isLessThan left (float width / 3.) "green at the left")
        }

        test "frames larger than the model's own offscreen buffer are drawn whole, and the model stays as it was" {
            use model = MuJoCoModel.FromXml("balls", balls)

            let size () =
                model.Integer model.Layout.Model.OffWidth, model.Integer model.Layout.Model.OffHeight

            use simulator = posed model
            let picture = drawn simulator 800 600 front defaults
            let _, red, _ = picture.Blob 0
            let x, blue, _ = picture.Blob 2
            Expect.isTrue (red < 300. && blue > 300.) "above and below the middle"
            Expect.isLessThan (abs (x - 400.)) 5. "in the middle"
            Expect.equal (size ()) (640, 480) "the model's size"
        }

        test "a tracking camera follows its body, a free and a fixed one do not" {
            for camera, follows in
                [
                    Camera.Tracking(1, 4., 0., -10.), true
                    Camera.Free(0., 0., 1., 4., 0., -10.), false
                    front, false
                ] do
                withBalls 84 84 camera (fun simulator renderer ->
                    let _, _, before = (draw renderer).Blob 0
                    Expect.isGreaterThan before 20 "seen"
                    simulator.Positions[1] <- 30.
                    simulator.Forward()
                    let x, _, after = (draw renderer).Blob 0
                    Expect.equal (after > 20) follows $"{camera} after the ball has gone"

                    if follows then
                        Expect.isLessThan (abs (x - 41.5)) 3. "in the middle")
        }

        test "distance, azimuth and elevation are those of the camera" {
            use model = MuJoCoModel.FromXml("balls", balls)
            use simulator = posed model

            let free =
                fun distance azimuth elevation -> drawn simulator 84 84 (Camera.Free(0., 0., 1., distance, azimuth, elevation)) defaults

            let _, _, near = (free 3. 0. 0.).Blob 0
            let _, _, far = (free 6. 0. 0.).Blob 0
            Expect.isTrue (near > 3 * far && far > 0) $"near {near}, far {far} pixels"
            let fromFront, _, _ = (free 3. 0. 0.).Blob 1
            let fromBehind, _, _ = (free 3. 180. 0.).Blob 1
            Expect.isTrue (fromFront < 30. && fromBehind > 54.) $"left {fromFront}, right {fromBehind}"
            let _, above, _ = (free 3. 0. -80.).Blob 0
            let _, level, _ = (free 3. 0. 0.).Blob 0
            Expect.isGreaterThan above (level + 5.) "from above, the upper ball is near the middle"
        }

        test "wrong sizes, cameras and buffers are refused before anything is drawn" {
            use model = MuJoCoModel.FromXml("balls", balls)
            use simulator = posed model

            let make width height camera () =
                (new Renderer(simulator, width, height, camera)).Dispose()

            throwsWith<ArgumentException> "found 0" (make 0 10 front)
            throwsWith<ArgumentException> "found 5000" (make 10 5000 front)
            throwsWith<ArgumentException> "has 1 cameras (numbers from 0); there is no camera 1" (make 10 10 (Camera.Fixed 1))
            throwsWith<ArgumentException> "there is no camera -1" (make 10 10 (Camera.Fixed -1))
            throwsWith<ArgumentException> "has 4 bodies (numbers from 0); there is no body 4" (make 10 10 (Camera.Tracking(4, 1., 0., 0.)))
            throwsWith<ArgumentException> "distance above 0" (make 10 10 (Camera.Tracking(1, 0., 0., 0.)))
            throwsWith<ArgumentException> "finite angles" (make 10 10 (Camera.Free(0., 0., 0., 1., nan, 0.)))
            use renderer = new Renderer(simulator, 10, 20, front)

            throwsWith<ArgumentException> "has 600 bytes (20 x 10 x 3); the given memory has 599" (fun () ->
                renderer.Render(Span(Array.zeroCreate 599)))
        }

        test "another thread cannot draw or free; the owner still can" {
            withBalls 32 32 front (fun _ renderer ->
                let expected = draw renderer

                for misuse in [ (fun () -> draw renderer |> ignore); (fun () -> renderer.Dispose()) ] do
                    match onOwnThread misuse with
                    | Error(:? InvalidOperationException as error) -> Expect.stringContains error.Message "belongs to the thread" "message"
                    | other -> failtestf "expected InvalidOperationException, found %A" other

                Expect.equal (draw renderer) expected "unharmed")
        }

        test "a freed renderer and one of a freed simulator do not draw" {
            use model = MuJoCoModel.FromXml("balls", balls)
            let simulator = posed model
            let renderer = new Renderer(simulator, 16, 16, front)
            simulator.Dispose()
            throwsWith<ObjectDisposedException> "Simulator" (fun () -> draw renderer |> ignore)
            renderer.Dispose()
            renderer.Dispose()
            throwsWith<ObjectDisposedException> "Renderer" (fun () -> draw renderer |> ignore)
        }

        test "when no kind of OpenGL works, the error says what was tried, why not, and what to install" {
            use model = MuJoCoModel.FromXml("balls", balls)
            use simulator = posed model

            let failing (name: string) (reason: string) =
                OpenGlKind(name, fun () -> raise (OpenGlException reason))

            // The reason of the second is a real one: this process draws with EGL.
            let order = [ failing "EGL surfaceless" "libEGL.so.1 is not installed"; OpenGlKind.OsMesa ]
            drawn simulator 16 16 front [ OpenGlKind.EglSurfaceless ] |> ignore

            try
                drawn simulator 16 16 front order |> ignore
                failtest "expected an error"
            with :? RendererUnavailableException as error ->
                Expect.stringContains error.Message "EGL surfaceless: libEGL.so.1 is not installed" "first"

                Expect.isTrue
                    (error.Message.Contains "OSMesa: this process draws with libEGL.so.1"
                     || error.Message.Contains "OSMesa: libOSMesa.so.8 is not installed")
                    error.Message

                Expect.stringContains error.Message "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri (or libosmesa6 alone)" "packages"

            // What fails leaves nothing behind that keeps the next one from working.
            Expect.hasLength (drawn simulator 16 16 front (failing "first" "broken" :: defaults)).Bytes 768 "the next kind"
        }

        test "where libEGL finds no driver, OSMesa draws the same picture, or the error tells each kind's own reason" {
            use scratch = new Scratch()
            let code, said = OsMesaChild.start (scratch.Sub "picture")

            if NativeLibrary.TryLoad "libOSMesa.so.8" |> fst then
                Expect.equal code 0 said
                Expect.stringStarts said "OSMesa, " "kind"
                use simulator = posed (MuJoCoModel.OfRobot "ant")
                let picture = File.ReadAllBytes(scratch.Sub "picture")
                Expect.equal picture (drawn simulator 84 84 front defaults).Bytes "as EGL"
            else
                Expect.equal code 1 said

                for part in
                    [
                        "EGL surfaceless: eglGetPlatformDisplay: EGL_BAD_PARAMETER"
                        "EGL device: EGL lists no device"
                        "OSMesa: libOSMesa.so.8 is not installed"
                        "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri"
                    ] do
                    Expect.stringContains said part "reasons and packages"
        }

        test "Mesa draws on the renderer's own thread, unless the user says otherwise" {
            withBalls 16 16 front (fun _ _ ->
                let expected =
                    match Environment.GetEnvironmentVariable "LP_NUM_THREADS" with
                    | null -> "0"
                    | chosen -> chosen

                Expect.equal (Marshal.PtrToStringUTF8(getenv "LP_NUM_THREADS")) expected "native environment")
        }

        test "a fatal error while drawing parks its thread alone, and others can still make renderers" {
            let task = Registry.find "Ant-v4" |> Result.defaultWith failtest

            // No graphics card has a shadow map of this size: MuJoCo calls its fatal error handler.
            let model =
                MuJoCoModel.FromXml(
                    "shadows",
                    (Robots.read "ant").Replace("<worldbody>", "<visual><quality shadowsize=\"200000\"/></visual><worldbody>")
                )

            let fault =
                TaskCompletionSource<exn>(TaskCreationOptions.RunContinuationsAsynchronously)

            let thread =
                new SimulatorThread(
                    "too much shadow",
                    (fun () -> new PixelEnvironment(new MuJoCoEnvironment(task, model), PixelDefaults.Shape, 2)),
                    fun error -> fault.TrySetResult error |> ignore
                )

            thread.Post(fun environment ->
                let observation = Array.zeroCreate environment.Spec.ObservationSize
                environment.Reset(Draws.At(1L, Purpose.Reset, 0L, 0L, 0L), Span observation))

            let error = fault.Task.WaitAsync(TimeSpan.FromSeconds 60.).Result
            Expect.isTrue (error :? MuJoCoErrorException) $"{error}"
            Expect.stringContains error.Message "hadow" "MuJoCo's own words"
            thread.Dispose()
            withBalls 16 16 front (fun _ renderer -> draw renderer |> ignore)
            Expect.equal (model.Integer model.Layout.Model.OffWidth) 640 "the model's size was put back"
        }
    ]

[<Tests>]
let alone =
    testSequenced (
        testList "a renderer alone" [
            test "leaves no context and no memory behind when it is freed" {
                use simulator = posed (MuJoCoModel.OfRobot "ant")

                let cycle () =
                    let renderer = new Renderer(simulator, 84, 84, front, [ OpenGlKind.EglSurfaceless ])
                    let display, context = eglGetCurrentDisplay (), eglGetCurrentContext ()
                    let mutable value = 0
                    Expect.equal (eglQueryContext (display, context, 0x3028, &value)) 1u "the context is there"
                    draw renderer |> ignore
                    renderer.Dispose()
                    Expect.equal (eglGetCurrentContext ()) 0n "no current context"
                    Expect.equal (eglQueryContext (display, context, 0x3028, &value)) 0u "the context is gone"

                // The first ones fill caches.
                cycle ()
                cycle ()
                let before = residentBytes ()

                for _ in 1..5 do
                    cycle ()

                // One shadow map alone has 16 MB.
                Expect.isLessThan (residentBytes () - before) (5L * 8L <<< 20) "bytes that five renderers left"
            }
        ]
    )
