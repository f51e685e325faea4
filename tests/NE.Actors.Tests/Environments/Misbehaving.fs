/// A child process that speaks the protocol of external environments up to a point and then does something wrong. Written from the
/// protocol's table, without our own codec.
module NE.Actors.Tests.Environments.Misbehaving

open System
open System.IO
open System.Text
open System.Threading

[<Literal>]
let Argument = "serve-and-misbehave"

/// The command that starts this process.
let command (behaviour: string) = [
    "dotnet"
    Path.Combine(AppContext.BaseDirectory, "NE.Actors.Tests.dll")
    Argument
    behaviour
]

let private floats (values: float32 seq) =
    values |> Seq.collect BitConverter.GetBytes |> Array.ofSeq

/// Three observations, two actions, no time limit, does not save its state.
let private schema (version: uint32) (observations: uint32) (flags: byte) (high: float32) =
    let id = Encoding.UTF8.GetBytes "Misbehaving"

    Array.concat [
        BitConverter.GetBytes version
        [| flags |]
        BitConverter.GetBytes 0u
        BitConverter.GetBytes(uint32 id.Length)
        id
        BitConverter.GetBytes observations
        BitConverter.GetBytes 2u
        floats (Seq.replicate 3 -infinityf)
        floats (Seq.replicate 3 infinityf)
        floats [ -1.0f; -1.0f ]
        floats [ 1.0f; high ]
    ]

let private stepped (reward: float) (flags: byte) (observation: float32 list) =
    Array.concat [ BitConverter.GetBytes reward; [| flags |]; floats observation ]

let private forEver () : 'T =
    Thread.Sleep Timeout.Infinite
    failwith "woken"

/// Answers messages as the behaviour says.
let serve (behaviour: string) =
    use input = Console.OpenStandardInput()
    use output = Console.OpenStandardOutput()

    let read (count: int) =
        let bytes = Array.zeroCreate<byte> count

        if input.ReadAtLeast(bytes, count, false) < count then
            exit 0

        bytes

    let raw (bytes: byte[]) =
        output.Write bytes
        output.Flush()

    let framed (kind: byte) (payload: byte[]) =
        Array.concat [ BitConverter.GetBytes(1 + payload.Length); [| kind |]; payload ]

    let write (kind: byte) (payload: byte[]) = raw (framed kind payload)

    while true do
        let frame = read (BitConverter.ToInt32(read 4, 0))

        match frame[0], behaviour with
        | 0x01uy, "old version" -> write 0x81uy (schema 7u 3u 0uy 1.0f)
        | 0x01uy, "contradicting sizes" -> write 0x81uy (schema 1u 4u 0uy 1.0f)
        | 0x01uy, "infinite action" -> write 0x81uy (schema 1u 3u 0uy infinityf)
        | 0x01uy, "short schema" -> write 0x81uy [| 1uy; 0uy; 0uy; 0uy; 0uy |]
        | 0x01uy, "saves" -> write 0x81uy (schema 1u 3u 1uy 1.0f)
        | 0x01uy, _ -> write 0x81uy (schema 1u 3u 0uy 1.0f)
        | 0x02uy, "short reset" -> write 0x82uy (floats [ 1.0f ])
        | 0x02uy, _ -> write 0x82uy (floats [ 0.5f; 0.25f; 0.125f ])
        | 0x03uy, "dies" ->
            eprintfn "first line\nthe arm broke off"
            exit 7
        | 0x03uy, "hangs" ->
            eprintfn "thinking"
            forEver ()
        | 0x03uy, "half an answer" ->
            raw [| 30uy; 0uy; 0uy; 0uy; 0x83uy |]
            forEver ()
        | 0x03uy, "prints" -> raw (Encoding.UTF8.GetBytes "step done\n")
        | 0x03uy, "empty frame" -> raw [| 0uy; 0uy; 0uy; 0uy |]
        | 0x03uy, "wrong size" -> write 0x83uy (stepped 1.0 0uy [ 1.0f; 2.0f ])
        | 0x03uy, "not a number" -> write 0x83uy (stepped 1.0 0uy [ 1.0f; nanf; 2.0f ])
        | 0x03uy, "infinite reward" -> write 0x83uy (stepped infinity 0uy [ 1.0f; 2.0f; 3.0f ])
        | 0x03uy, "odd flags" -> write 0x83uy (stepped 1.0 8uy [ 1.0f; 2.0f; 3.0f ])
        | 0x03uy, "another message" -> write 0x82uy (floats [ 1.0f; 2.0f; 3.0f ])
        | 0x03uy, "cannot" -> write 0xffuy (Encoding.UTF8.GetBytes "the motor is too hot")
        | 0x03uy, "cannot, at length" -> write 0xffuy (Encoding.UTF8.GetBytes("the motor\r\nis too hot: " + String('\u00e4', 3000)))
        | 0x03uy, "answers twice" ->
            let answer = framed 0x83uy (stepped 1.0 0uy [ 1.0f; 2.0f; 3.0f ])
            raw (Array.append answer answer)
        | 0x03uy, "talks much" ->
            for _ in 1..2000 do
                eprintfn "%s" (String('x', 5000))

            exit 1
        | 0x03uy, _ -> write 0x83uy (stepped 1.0 0uy [ 1.0f; 2.0f; 3.0f ])
        | 0x04uy, _ -> write 0x84uy [||]
        | 0x07uy, "stays" -> forEver ()
        | 0x07uy, _ ->
            write 0x87uy [||]
            exit 0
        | _ -> write 0xffuy [||]
