module NE.Shell.Tests.ViewTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open NE.Actors.Runs
open NE.Shell.Host
open NE.Shell.Tests.Support
open NE.Shell.Views
open Spectre.Console

let private title =
    RunTitle("cheetah", "HalfCheetah-v4, ne, seed 0, pipelined, 2 environments")

/// Thousands of steps into a run, everything measured.
let training =
    RunStatus(
        Phase = RunPhase.Training,
        Step = 312_000L,
        Steps = 1_000_000L,
        GradientStep = 287_000L,
        ElapsedSeconds = 731.0,
        StepsPerSecond = 512.3,
        LearningStepsPerSecond = 512.3,
        UpdatesPerSecond = 498.7,
        SampleToInsert = 255.9,
        LearnerWaiting = 0.012,
        EpisodeReturns = [| for i in 0..59 -> float (i * i) |],
        Evaluations = [|
            for i in 1..5 -> struct (int64 i * 5_000L, if i = 4 then 4000.0 else float i * 500.0)
        |],
        Metrics =
            Dictionary<string, float>(
                dict [
                    "actor_density", 0.412
                    "actor_anr_0", 0.971
                    "actor_anr_0.1", 0.88
                    "actor_fau", 0.51
                    "critic_density", 0.377
                    "critic_anr_0", 1.0
                    "actor_effective_rank", 71.25
                    "critic_effective_rank", 83.5
                    "review_fraction", 0.12
                    "review_probability", 0.03
                ]
            ),
        ReplaySize = 312_000L,
        ReplayCapacity = 333_333L,
        CheckpointStep = 300_000L,
        CheckpointAgeSeconds = 24.0,
        CheckpointBytes = 35_800_000L,
        CheckpointPauseMilliseconds = 8.25,
        Environments = [|
            EnvironmentStatus(0, 156L, 2345.67, 0)
            EnvironmentStatus(1, 155L, 1999.9, 2)
        |]
    )

let private warmingUp =
    RunStatus(
        Phase = RunPhase.Training,
        Step = 12_000L,
        Steps = 1_000_000L,
        WarmUpSteps = 13_000L,
        StepsPerSecond = 9_000.0,
        Message = "waiting for evaluations before the checkpoint",
        LateEvaluations = [| 5_000L; 10_000L |]
    )

/// The first steps are fast; what is left is as slow as learning.
let private learning =
    RunStatus(Phase = RunPhase.Training, Step = 20_000L, Steps = 200_000L, StepsPerSecond = 4_000.0, LearningStepsPerSecond = 100.0)

let private starting = RunStatus(Phase = RunPhase.Starting)

let private paused =
    RunStatus(Phase = RunPhase.Paused, Message = "the disk is full (attempt 3, next in 2 s)", Step = 10L, Steps = 100L)

let private many =
    RunStatus(
        Phase = RunPhase.Training,
        Step = 1L,
        Steps = 100L,
        GradientStepsOwed = 76_544L,
        Environments = [| for i in 0..11 -> EnvironmentStatus(i, int64 i, nan, i) |]
    )

let private drawn (width: int) (view: Spectre.Console.Rendering.IRenderable) =
    let writer = new StringWriter(NewLine = "\n")

    let console =
        AnsiConsole.Create(
            AnsiConsoleSettings(Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = AnsiConsoleOutput writer)
        )

    console.Profile.Width <- width
    console.Write view

    (string writer).Split '\n' |> Seq.map _.TrimEnd() |> String.concat "\n"

let private rendered (width: int) (status: RunStatus) =
    drawn width (LiveView.Render(title, status))

[<Tests>]
let tests =
    testList "views" [
        test "the live view of a run in full swing" { golden "live-training" (rendered 120 training) }
        test "the live view at the start" { golden "live-starting" (rendered 120 starting) }
        test "the live view of a run that warms up, and whose evaluations are late" { golden "live-warming-up" (rendered 120 warmingUp) }
        test "what is left is as fast as learning" {
            Expect.equal (LiveView.SecondsLeft learning) 1_800.0 "seconds"
            Expect.isTrue (Double.IsNaN(LiveView.SecondsLeft warmingUp)) "before there was any"
        }
        test "the live view of a paused run says why" { golden "live-paused" (rendered 120 paused) }
        test "many environments are summed up" { golden "live-many-environments" (rendered 120 many) }
        test "a narrow terminal cuts the live view: no line wraps, so the rows are those of a wide one" {
            let wide = (rendered 500 training).Split '\n'

            for width in [ 30; 60; 80; 99; 500 ] do
                let lines =
                    (drawn width (Cropped(LiveView.Render(title, training)))).TrimEnd().Split '\n'

                Expect.hasLength lines (wide.Length - 1) $"rows at {width} columns"

                for line, whole in Seq.zip lines wide do
                    Expect.isLessThan line.Length width "the last column stays free"

                    if whole.Length < width then
                        Expect.equal line whole "nothing is lost that fits"
                    else
                        Expect.stringEnds line "…" "a mark where it was cut"
                        Expect.stringStarts whole (line.TrimEnd '…') "from its beginning"
        }

        test "the plain lines have no ANSI codes" {
            let lines =
                [ training; starting; paused; many; warmingUp ]
                |> List.map PlainView.Line
                |> String.concat "\n"

            Expect.isFalse (lines.Contains '\027') "escape"
            golden "plain" (lines + "\n")
        }

        test "a sparkline spans its range" {
            Expect.equal (Sparkline.Render([ 0.0; 1.0; 2.0; 7.0 ], 10)) "▁▂▃█" "levels"
            Expect.equal (Sparkline.Render([ 5.0; 5.0 ], 10)) "▄▄" "constant"
            Expect.equal (Sparkline.Render([ nan; 1.0 ], 10)) "▄" "missing values are left out"
            Expect.equal (Sparkline.Render([], 10)) "" "nothing"
        }

        testProperty "a sparkline is never longer than its width"
        <| fun (values: float list) -> (Sparkline.Render(values, 7)).Length <= 7

        testProperty "a bar has its width whatever the fraction"
        <| fun (fraction: float) -> (Sparkline.Bar(fraction, 12)).Length = 12

        test "durations" {
            for seconds, expected in
                [
                    0.0, "0 s"
                    119.0, "119 s"
                    120.0, "2 min"
                    3_600.0, "1 h 00 min"
                    11_100.0, "3 h 05 min"
                    187_200.0, "2 d 4 h"
                    nan, "-"
                    infinity, "-"
                    -1.0, "-"
                ] do
                Expect.equal (Format.Duration seconds) expected (string seconds)
        }

        test "sizes" {
            for bytes, expected in
                [
                    512.0, "512 B"
                    1536.0, "1.5 KiB"
                    157286400.0, "150 MiB"
                    3221225472.0, "3.0 GiB"
                ] do
                Expect.equal (Format.Bytes bytes) expected (string bytes)
        }
    ]
