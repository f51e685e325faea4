namespace NE.Model.Tasks

open System

/// A read-only view of a simulator's state, with MuJoCo's names. The spans are valid until the next step of the simulator; arrays of
/// vectors and matrices are flat and row-major. Lengths in brackets.
///
/// "Lagged" holds for Gymnasium's way of stepping (`Stepping.Gymnasium`): after a step, QPos and QVel are new while every derived array
/// still belongs to the last evaluation inside the step (environments.md section 2). Tasks must use them as they are. The Control Suite's
/// way ends with an evaluation, so there positions, velocities and their sensors are new too.
type IPhysics =
    /// Size of the physics step in seconds.
    abstract Timestep: float
    /// Simulated time in seconds since the last reset.
    abstract Time: float
    /// Number of generalised coordinates.
    abstract NQ: int
    /// Number of degrees of freedom.
    abstract NV: int
    /// Number of controls.
    abstract NU: int
    /// Number of bodies, the world (body 0) included.
    abstract NBody: int
    /// Number of geoms.
    abstract NGeom: int
    /// Number of sites.
    abstract NSite: int
    /// Positions in joint coordinates [nq].
    abstract QPos: ReadOnlySpan<float>
    /// Velocities in joint coordinates [nv].
    abstract QVel: ReadOnlySpan<float>
    /// Controls as they were set, not clamped [nu].
    abstract Ctrl: ReadOnlySpan<float>
    /// Activations of the actuators that have a state of their own, such as a delay [na].
    abstract Act: ReadOnlySpan<float>
    /// Positions of the model's initial pose [nq].
    abstract QPos0: ReadOnlySpan<float>
    /// Positions of the bodies' frames [nbody x 3], lagged.
    abstract XPos: ReadOnlySpan<float>
    /// Rotation matrices of the bodies' frames [nbody x 9], lagged.
    abstract XMat: ReadOnlySpan<float>
    /// Positions of the bodies' centres of mass [nbody x 3], lagged.
    abstract XIPos: ReadOnlySpan<float>
    /// Positions of the geoms [ngeom x 3], lagged.
    abstract GeomXPos: ReadOnlySpan<float>
    /// Positions of the sites [nsite x 3], lagged.
    abstract SiteXPos: ReadOnlySpan<float>
    /// Inertias and masses about the subtrees' centres of mass [nbody x 10], lagged.
    abstract CInert: ReadOnlySpan<float>
    /// Spatial velocities of the bodies [nbody x 6], lagged.
    abstract CVel: ReadOnlySpan<float>
    /// External spatial forces on the bodies [nbody x 6]; 0 after a reset, then those of the last step. The Control Suite's way of stepping
    /// computes them only for a task of one's own that reads them.
    abstract CFrcExt: ReadOnlySpan<float>
    /// Forces of the actuators in joint coordinates [nv], lagged.
    abstract QFrcActuator: ReadOnlySpan<float>
    /// Forces of the constraints in joint coordinates [nv], lagged.
    abstract QFrcConstraint: ReadOnlySpan<float>
    /// Readings of the sensors [nsensordata], lagged.
    abstract SensorData: ReadOnlySpan<float>
    /// Masses of the bodies in kg [nbody].
    abstract BodyMass: ReadOnlySpan<float>
    /// Lower and upper limits of the joints [njnt x 2], in metres or radians; meaningless for a joint without limits.
    abstract JointRange: ReadOnlySpan<float>
    /// Whether a joint has limits, 0 or 1 [njnt].
    abstract JointLimited: ReadOnlySpan<byte>

/// What a task may do to a simulator while it makes a start state. The simulator begins in the model's initial pose (qpos0), at rest.
type IStartState =
    inherit IPhysics
    /// Positions in joint coordinates, to be overwritten [nq].
    abstract Positions: Span<float>
    /// Velocities in joint coordinates, to be overwritten [nv].
    abstract Velocities: Span<float>
    /// Puts a keyframe of the model in place: positions, velocities, activations, controls and mocap bodies; time and everything else are 0.
    abstract ToKeyframe: index: int -> unit
    /// Brings the derived arrays and the contacts up to date with the positions and velocities, with the actuators switched off.
    abstract ForwardPassively: unit -> unit
    /// Makes physics steps without control, then sets the time back to 0.
    abstract Settle: steps: int -> unit
    /// Contacts found by the last evaluation.
    abstract ContactCount: int
    /// Places a geom in the frame of its body [m]. Only for tasks that ask for a model of their own (`TaskInfo.OwnModel`).
    abstract MoveGeom: geom: int * x: float * y: float -> unit
    /// Places a mocap body, which no force moves, such as a target [m].
    abstract MoveMocap: mocap: int * x: float * y: float * z: float -> unit
    /// Sets the first size of a geom, such as the radius of a sphere [m]. Only for tasks that ask for a model of their own.
    abstract ResizeGeom: geom: int * size: float -> unit
