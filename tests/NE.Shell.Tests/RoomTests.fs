module NE.Shell.Tests.RoomTests

open Expecto
open NE.Shell.Host

[<Tests>]
let tests = NE.Tests.Rooms.tests "NE.Shell" typeof<ShellHost>.Assembly []
