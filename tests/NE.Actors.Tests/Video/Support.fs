/// What the tests of videos share: folders, frames, policies, and an independent reader of animated PNGs.
module NE.Actors.Tests.Video.Support

open System
open System.Buffers.Binary
open System.Diagnostics
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open NE.Actors.Video
open NE.Model
open NE.Model.Networks

let inFolder (body: string -> 'T) : 'T =
    let folder = Directory.CreateTempSubdirectory("ne-video-").FullName

    try
        body folder
    finally
        Directory.Delete(folder, true)

let drawsOf (seed: int64) =
    Draws.At(seed, Purpose.Evaluation, 0, 0L, 0L)

/// Random bytes.
let noise (seed: int64) (size: VideoSize) : byte[] =
    let draws = drawsOf seed
    Array.init size.Bytes (fun _ -> byte (draws.Uniform(0.0, 256.0)))

/// An untrained policy.
let policy (observations: int) (actions: int) (seed: int64) : Policy =
    let layout = BlockLayout.Create(1, [ observations; 8; actions ])
    Policy.OfBlock(layout, ReadOnlySpan(layout.Initialise(drawsOf seed)), 1.0f, 0L)

/// The message of the VideoException that an action ends with.
let refusal (action: unit -> unit) : string =
    try
        action ()
        failtest "expected a VideoException"
    with :? VideoException as error ->
        error.Message

/// What a program prints, run to its end.
let output (program: string) (arguments: string list) : string =
    use started =
        match Process.Start(ProcessStartInfo(program, arguments, RedirectStandardOutput = true)) with
        | null -> failtest $"{program} did not start"
        | started -> started

    let text = started.StandardOutput.ReadToEnd()
    started.WaitForExit()
    Expect.equal started.ExitCode 0 $"{program} {arguments}"
    text.Trim()

/// The real ffmpeg of this machine; the test is skipped where there is none, as this program does without it.
let ffmpeg () : string =
    match Ffmpeg.Find(Environment.GetEnvironmentVariable "PATH") with
    | null -> skiptest "ffmpeg is not on the PATH"
    | found -> found

/// An animated PNG as a viewer shows it.
type Animation = {
    Width: int
    Height: int
    /// Number of frames that the file promises.
    Promised: int
    /// Whole pictures, one per frame.
    Frames: byte[] list
    /// Seconds that each is shown.
    Delays: float list
    /// Pixels that each stores.
    Stored: int list
}

/// CRC-32 bit by bit, unlike the writer's table.
let private crc (bytes: byte[]) =
    let mutable register = 0xFFFFFFFFu

    for value in bytes do
        register <- register ^^^ uint32 value

        for _ in 1..8 do
            register <-
                if register &&& 1u = 1u then
                    (register >>> 1) ^^^ 0xEDB88320u
                else
                    register >>> 1

    ~~~register

let private chunks (bytes: byte[]) =
    let number (at: int) =
        BinaryPrimitives.ReadUInt32BigEndian(ReadOnlySpan(bytes, at, 4))

    let rec read at = [
        if at < bytes.Length then
            let length = int (number at)
            let type', data = bytes[at + 4 .. at + 7], bytes[at + 8 .. at + 7 + length]
            Expect.equal (number (at + 8 + length)) (crc (Array.append type' data)) "a chunk's CRC"
            yield Encoding.ASCII.GetString type', data
            yield! read (at + 12 + length)
    ]

    Expect.equal bytes[..7] [| 0x89uy; 0x50uy; 0x4Euy; 0x47uy; 13uy; 10uy; 26uy; 10uy |] "the signature"
    read 8

let private inflate (data: byte[]) =
    use zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress)
    use plain = new MemoryStream()
    zlib.CopyTo plain
    plain.ToArray()

/// Undoes the filters of PNG (section 9.2 of its specification) on rows of RGB.
let private unfilter (width: int) (height: int) (data: byte[]) =
    let row = 3 * width
    let plain = Array.zeroCreate<byte>(row * height)
    Expect.equal data.Length ((row + 1) * height) "bytes of a frame"

    for y in 0 .. height - 1 do
        for x in 0 .. row - 1 do
            let left = if x < 3 then 0 else int plain[y * row + x - 3]
            let up = if y = 0 then 0 else int plain[(y - 1) * row + x]

            let corner =
                if x < 3 || y = 0 then
                    0
                else
                    int plain[(y - 1) * row + x - 3]

            let predicted =
                match data[y * (row + 1)] with
                | 0uy -> 0
                | 1uy -> left
                | 2uy -> up
                | 3uy -> (left + up) / 2
                | 4uy ->
                    let p = left + up - corner
                    let pa, pb, pc = abs (p - left), abs (p - up), abs (p - corner)

                    if pa <= pb && pa <= pc then left
                    elif pb <= pc then up
                    else corner
                | other -> failtest $"there is no filter {other}"

            plain[y * row + x] <- byte (int data[y * (row + 1) + 1 + x] + predicted)

    plain

let readAnimation (file: string) : Animation =
    let all = chunks (File.ReadAllBytes file)

    let big (data: byte[]) at =
        int (BinaryPrimitives.ReadUInt32BigEndian(ReadOnlySpan(data, at, 4)))

    let header = all |> List.find (fun (type', _) -> type' = "IHDR") |> snd
    let width, height = big header 0, big header 4
    Expect.equal header[8..] [| 8uy; 2uy; 0uy; 0uy; 0uy |] "8-bit RGB"
    Expect.equal (fst (List.last all)) "IEND" "the last chunk"
    let canvas = Array.zeroCreate<byte>(3 * width * height)
    let mutable control = [||]
    let mutable sequence = 0

    let count found =
        Expect.equal found sequence "the sequence number"
        sequence <- sequence + 1

    let frames = [
        for type', data in all do
            match type' with
            | "fcTL" ->
                count (big data 0)
                control <- data
            | "IDAT"
            | "fdAT" ->
                if type' = "fdAT" then
                    count (big data 0)

                let w, h, left, top = big control 4, big control 8, big control 12, big control 16
                let part = unfilter w h (inflate (if type' = "fdAT" then data[4..] else data))

                for y in 0 .. h - 1 do
                    Array.blit part (3 * w * y) canvas (3 * ((top + y) * width + left)) (3 * w)

                let short at =
                    float (BinaryPrimitives.ReadUInt16BigEndian(ReadOnlySpan(control, at, 2)))

                yield Array.copy canvas, short 20 / short 22, w * h
            | _ -> ()
    ]

    {
        Width = width
        Height = height
        Promised = big (all |> List.find (fun (type', _) -> type' = "acTL") |> snd) 0
        Frames = [ for frame, _, _ in frames -> frame ]
        Delays = [ for _, delay, _ in frames -> delay ]
        Stored = [ for _, _, stored in frames -> stored ]
    }
