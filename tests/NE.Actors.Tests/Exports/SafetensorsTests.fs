module NE.Actors.Tests.Exports.SafetensorsTests

open System
open System.Collections.Generic
open System.IO
open System.Text
open Expecto
open NE.Actors.Exports
open NE.Actors.Tests.Exports.Policies
open NE.Model.Networks

let private parse (bytes: byte[]) =
    SafetensorsFile.Parse(ReadOnlyMemory bytes, "some.safetensors")

/// A file with a header of one's own.
let private file (header: string) (values: byte[]) =
    let header = Encoding.UTF8.GetBytes header
    Array.concat [ BitConverter.GetBytes(int64 header.Length); header; values ]

let private entry name kind shape offsets =
    "\""
    + name
    + "\":{\"dtype\":\""
    + kind
    + "\",\"shape\":"
    + shape
    + ",\"data_offsets\":"
    + offsets
    + "}"

let private small =
    "{"
    + entry "a" "F32" "[2]" "[0,8]"
    + ","
    + entry "b" "F32" "[1,1]" "[8,12]"
    + "}"

let private refused (bytes: byte[]) (fragment: string) =
    try
        parse bytes |> ignore
        failtest $"it was read: {fragment}"
    with :? InvalidDataException as problem ->
        Expect.stringContains problem.Message "some.safetensors" "the file"
        Expect.stringContains problem.Message fragment "why"

[<Tests>]
let tests =
    testList "Exported to safetensors" [
        test "what is written is read again: tensors, their order and metadata" {
            let policy =
                ofForm (NetworkForm.Mlp([ 7; 16; 4 ], NE.Model.Activation.Crelu, [ true ])) 3 ActionForm.SquashedGaussian 1.0f

            let export = export policy (vectorTask 7 [| -2.0f; -1.0f |] [| 1.0f; 1.0f |])
            let tensors = List export.Tensors
            let bytes = SafetensorsFile.Bytes(tensors, export.Metadata)
            Expect.equal (BitConverter.ToInt64(bytes, 0) % 8L) 0L "values on a multiple of eight bytes"
            let read = parse bytes
            Expect.equal (Seq.sort read.Tensors.Keys |> List.ofSeq) (tensors |> Seq.map _.Name |> Seq.sort |> List.ofSeq) "names"

            for tensor in tensors do
                Expect.equal read.Tensors[tensor.Name].Shape (Array.ofSeq tensor.Shape) tensor.Name
                Expect.equal read.Tensors[tensor.Name].Values tensor.Values tensor.Name

            Expect.equal (List.ofSeq read.Metadata) (List.ofSeq export.Metadata) "metadata"
            Expect.equal read.Tensors[PolicyExport.ScaleName].Values [| 1.5f; 1.0f |] "half the width of the bounds"
            Expect.equal read.Tensors[PolicyExport.OffsetName].Values [| -0.5f; 0.0f |] "their middle"
        }

        test "a file of others is read: any order, padding, no metadata" {
            let read =
                parse (
                    file
                        ("{"
                         + entry "b" "F32" "[]" "[4,8]"
                         + ","
                         + entry "a" "F32" "[1]" "[0,4]"
                         + "}   ")
                        (Array.append (BitConverter.GetBytes 2.0f) (BitConverter.GetBytes 3.0f))
                )

            Expect.equal read.Tensors["a"].Values [| 2.0f |] "a"
            Expect.equal (read.Tensors["b"].Shape, read.Tensors["b"].Values) ([||], [| 3.0f |]) "b"
            Expect.isEmpty read.Metadata "no metadata"
        }

        for title, bytes, fragment in
            [
                "nothing", [||], "no header"
                "a long header", BitConverter.GetBytes(1L <<< 40), "announce a header"
                "a negative length", Array.append (BitConverter.GetBytes -5L) (Array.zeroCreate 20), "announce a header"
                "a header that ends early", (file small (Array.zeroCreate 12))[..40], "announce a header"
                "no JSON", file "{\"a\":" [||], "header is not as it must be"
                "no object", file "[1,2]" [||], "header is not as it must be"
                "no shape", file """{"a":{"dtype":"F32","data_offsets":[0,4]}}""" (Array.zeroCreate 4), "header is not as it must be"
                "a name twice",
                file ("{" + entry "a" "F32" "[1]" "[0,4]" + "," + entry "a" "F32" "[1]" "[0,4]" + "}") (Array.zeroCreate 4),
                "header is not as it must be"
                "half precision",
                file ("{" + entry "a" "F16" "[2]" "[0,4]" + "}") (Array.zeroCreate 4),
                "a has numbers of type F16, and F32 was expected"
                "offsets behind the end", file ("{" + entry "a" "F32" "[2]" "[0,8]" + "}") (Array.zeroCreate 4), "has the offsets [0, 8]"
                "offsets in the wrong order",
                file ("{" + entry "a" "F32" "[2]" "[8,0]" + "}") (Array.zeroCreate 8),
                "has the offsets [8, 0]"
                "another size than the shape",
                file ("{" + entry "a" "F32" "[3]" "[0,8]" + "}") (Array.zeroCreate 8),
                "of the shape [3] has 8 bytes"
                "a product of sizes that is none",
                file ("{" + entry "a" "F32" "[2147483647,2147483647,4,1073741825]" "[0,8]" + "}") (Array.zeroCreate 8),
                "of the shape"
                "a negative size", file ("{" + entry "a" "F32" "[-1]" "[0,4]" + "}") (Array.zeroCreate 4), "has the shape [-1]"
                "one tensor over another",
                file ("{" + entry "a" "F32" "[2]" "[0,8]" + "," + entry "b" "F32" "[1]" "[4,8]" + "}") (Array.zeroCreate 8),
                "lies over another tensor"
                "a gap", file ("{" + entry "a" "F32" "[1]" "[4,8]" + "}") (Array.zeroCreate 8), "4 bytes in front of a belong to no tensor"
                "bytes that are left over", file small (Array.zeroCreate 16), "4 bytes at its end belong to no tensor"
                "values that end early", file small (Array.zeroCreate 11), "has the offsets [8, 12]"
            ] do
            test $"refused: {title}" { refused bytes fragment }

        test "whatever byte of the header is another one, it is read or refused in words" {
            let whole = file small (Array.zeroCreate 12)

            for at in 0 .. whole.Length - 13 do
                for value in [ 0uy; 34uy; 48uy; 57uy; 93uy; 125uy; 255uy ] do
                    let damaged = Array.copy whole
                    damaged[at] <- value

                    try
                        parse damaged |> ignore
                    with :? InvalidDataException ->
                        ()
        }
    ]
