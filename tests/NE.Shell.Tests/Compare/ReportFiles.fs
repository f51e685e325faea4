/// Makes reports and reads their files.
module NE.Shell.Tests.Compare.ReportFiles

open System
open System.Collections.Generic
open System.Globalization
open System.IO
open System.Xml
open System.Xml.Linq
open Expecto
open NE.Shell
open NE.Shell.Host
open NE.Shell.Tests.Support

/// `ne report` with these arguments: exit code, output, errors.
let report (runs: string) (arguments: string list) =
    let asTyped = "report" :: arguments

    let host =
        ShellHost(
            Output = new StringWriter(NewLine = "\n"),
            Error = new StringWriter(NewLine = "\n"),
            DefaultRuns = runs,
            FleetKey = "/nonexistent/fleet.pem",
            Width = 160,
            Arguments = List<string> asTyped
        )

    execute host asTyped

/// The same, where it must succeed: output, errors.
let ok (runs: string) arguments =
    let code, output, errors = report runs arguments
    Expect.equal code ExitCode.Ok errors
    output, errors

/// Rows of a CSV file without quotes by column.
let csv (file: string) =
    let lines = File.ReadAllLines file
    let names = lines[0].Split ','
    [ for line in Seq.skip 1 lines -> dict (Seq.zip names (line.Split ',')) ]

let number (text: string) =
    Double.Parse(text, CultureInfo.InvariantCulture)

let loadXml (file: string) =
    use reader =
        XmlReader.Create(file, XmlReaderSettings(DtdProcessing = DtdProcessing.Prohibit))

    XDocument.Load reader

/// Every text of an SVG file, in order.
let textsOf (file: string) = [
    for element in (loadXml file).Descendants() do
        if element.Name.LocalName = "text" then
            element.Value
]

/// Every line of an SVG file: its style and its points.
let linesOf (file: string) = [
    for element in (loadXml file).Descendants() do
        match element.Name.LocalName, element.Attribute(XName.Get "style"), element.Attribute(XName.Get "points") with
        | "polyline", NonNull style, NonNull points ->
            style.Value,
            [
                for point in points.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries) ->
                    match point.Split ',' with
                    | [| x; y |] -> number x, number y
                    | _ -> failtest $"{point} is no point"
            ]
        | _ -> ()
]
