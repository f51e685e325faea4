namespace NE.Model.Tests.Tasks

open System
open NE.Model.Tasks

/// A physics state made of arrays, each filled with distinct numbers, so that a task can be tested without a simulator.
type FakePhysics(nq: int, nv: int, nu: int, nbody: int) =
    let fill (start: float) (count: int) =
        Array.init count (fun i -> start + 0.001 * float i)

    member val QPosArray = fill 0.1 nq with get, set
    member val QVelArray = fill 0.2 nv with get, set
    member val CtrlArray = fill 0.3 nu with get, set
    member val XPosArray = fill 0.4 (3 * nbody) with get, set
    member val XIPosArray = fill 0.5 (3 * nbody) with get, set
    member val CInertArray = fill 10.0 (10 * nbody) with get, set
    member val CVelArray = fill 20.0 (6 * nbody) with get, set
    member val CFrcExtArray = fill 30.0 (6 * nbody) with get, set
    member val QFrcActuatorArray = fill 40.0 nv with get, set
    member val QFrcConstraintArray = fill 50.0 nv with get, set
    member val SiteXPosArray = fill 0.6 3 with get, set
    member val GeomXPosArray = fill 0.7 3 with get, set
    member val XMatArray = fill 0.8 (9 * nbody) with get, set
    member val ActArray: float[] = [||] with get, set
    member val SensorDataArray: float[] = [||] with get, set
    /// Where the mocap bodies were put.
    member val MocapPlaces: Map<int, float * float * float> = Map.empty with get, set
    member val BodyMassArray = fill 1.0 nbody with get, set

    interface IStartState with
        member this.Positions = Span this.QPosArray
        member this.Velocities = Span this.QVelArray
        member _.ToKeyframe _ = invalidOp "the model has no keyframes"
        member _.ForwardPassively() = ()
        member _.Settle _ = ()
        member _.ContactCount = 0
        member _.MoveGeom(_, _, _) = invalidOp "the model is shared"

        member this.MoveMocap(mocap, x, y, z) =
            this.MocapPlaces <- this.MocapPlaces.Add(mocap, (x, y, z))

        member _.ResizeGeom(_, _) = invalidOp "the model is shared"

    interface IPhysics with
        member _.Timestep = 0.01
        member _.Time = 0.0
        member _.NQ = nq
        member _.NV = nv
        member _.NU = nu
        member _.NBody = nbody
        member this.NGeom = this.GeomXPosArray.Length / 3
        member this.NSite = this.SiteXPosArray.Length / 3
        member this.QPos = ReadOnlySpan this.QPosArray
        member this.QVel = ReadOnlySpan this.QVelArray
        member this.Ctrl = ReadOnlySpan this.CtrlArray
        member this.Act = ReadOnlySpan this.ActArray
        member _.QPos0 = ReadOnlySpan.Empty
        member this.XPos = ReadOnlySpan this.XPosArray
        member this.XMat = ReadOnlySpan this.XMatArray
        member this.XIPos = ReadOnlySpan this.XIPosArray
        member this.GeomXPos = ReadOnlySpan this.GeomXPosArray
        member this.SiteXPos = ReadOnlySpan this.SiteXPosArray
        member this.CInert = ReadOnlySpan this.CInertArray
        member this.CVel = ReadOnlySpan this.CVelArray
        member this.CFrcExt = ReadOnlySpan this.CFrcExtArray
        member this.QFrcActuator = ReadOnlySpan this.QFrcActuatorArray
        member this.QFrcConstraint = ReadOnlySpan this.QFrcConstraintArray
        member this.SensorData = ReadOnlySpan this.SensorDataArray
        member this.BodyMass = ReadOnlySpan this.BodyMassArray
        member _.JointRange = ReadOnlySpan.Empty
        member _.JointLimited = ReadOnlySpan.Empty
