namespace NE.Model.Agents.Plasticity

open NE.Model.Agents
open NE.Model.Networks
open NE.Model
open NE.Model.Replay

/// Fresh uniform rows of the replay window, in chunks of the probe's size.
[<Sealed>]
type internal FreshRows(probe: Batch) =

    /// Visits so many rows, after a forward pass on each chunk, while `goesOn`. The draws are those of all rows in any case.
    member _.Visit
        (pass: IPass, rows: int, source: ITransitionSource, window: Window, draws: Draws, goesOn: unit -> bool, add: int -> unit)
        =
        let mutable left = rows

        while left > 0 do
            probe.Draw(Whole, source, window, draws)

            if goesOn () then
                probe.Gather source
                pass.Forward()
                add (min left probe.Rows)

            left <- left - probe.Rows

    /// The neurons that are dormant at tau on so many rows, per stack and hidden layer.
    member this.Dormant(group: TraineeGroup, tau: float, rows: int, source, window, draws) : bool[][][] =
        let networks, pass = group.Networks, group.Probe()

        if tau = 0.0 then
            let silence = Silence networks
            this.Visit(pass, rows, source, window, draws, (fun () -> not silence.IsOver), (fun count -> silence.Add(pass, count)))
            silence.Dormant
        else
            let activity = Activity networks
            this.Visit(pass, rows, source, window, draws, (fun () -> true), (fun count -> activity.Add(pass, count)))
            activity.Dormant tau
