/// Reads a TensorBoard event file without the program's own reader: lengths and checksums by the format's definition, records by protobuf.
module NE.Tests.EventsOfRun

open System
open System.IO
open Expecto
open NE.Actors.RunDirectory
open Tensorboard

/// A value that was logged: tag, step, value.
type Logged = (struct (string * int64 * float32))

/// CRC-32C (Castagnoli), bit by bit.
let private checksum (bytes: ReadOnlySpan<byte>) =
    let mutable sum = UInt32.MaxValue

    for value in bytes do
        sum <- sum ^^^ uint32 value

        for _ in 1..8 do
            sum <- (sum >>> 1) ^^^ (if sum &&& 1u = 1u then 0x82F63B78u else 0u)

    ~~~sum

/// As TFRecord stores it.
let private masked bytes =
    let sum = checksum bytes
    ((sum >>> 15) ||| (sum <<< 17)) + 0xA282EAD8u

/// Every record of the file; fails at the first byte that is not of the format.
let records (path: string) : Event list =
    Expect.equal (checksum (ReadOnlySpan(Text.Encoding.ASCII.GetBytes "123456789"))) 0xE3069283u "the checksum's own check value"
    let bytes = File.ReadAllBytes path
    let mutable at = 0

    [
        while at < bytes.Length do
            let length = int (BitConverter.ToUInt64(bytes, at))
            Expect.equal (BitConverter.ToUInt32(bytes, at + 8)) (masked (ReadOnlySpan(bytes, at, 8))) $"checksum of the length at {at}"
            let record = ReadOnlySpan(bytes, at + 12, length)
            Expect.equal (BitConverter.ToUInt32(bytes, at + 12 + length)) (masked record) $"checksum of the record at {at}"
            Event.Parser.ParseFrom(record.ToArray())
            at <- at + 16 + length
    ]

/// Everything that was logged, in the order of the file, which must begin with the format's version, have it once, and have the steps of
/// every tag rise.
let logged (path: string) : Logged list =
    let records = records path
    Expect.equal records.Head.FileVersion "brain.Event:2" "the first record"

    let values = [
        for record in records.Tail do
            Expect.equal record.FileVersion "" "no second beginning"
            Expect.isGreaterThan record.WallTime 1.6e9 "a time"

            for value in record.Summary.Value do
                struct (value.Tag, record.Step, value.SimpleValue)
    ]

    for tag, ofTag in List.groupBy (fun struct (tag, _, _) -> tag) values do
        let steps = ofTag |> List.map (fun struct (_, step, _) -> step)
        Expect.equal steps (List.sort (List.distinct steps)) $"the steps of {tag} rise"

    values

/// Tag by tag, without what clocks say, which is not the same in two runs that are the same. Nor is it which of two tags comes first.
let withoutClocks (values: Logged list) =
    values
    |> List.filter (fun struct (tag, _, _) -> tag <> "charts/SPS")
    |> List.sortBy (fun struct (tag, step, _) -> tag, step)

/// Of a run.
let ofRun (paths: RunPaths) = logged paths.Events
