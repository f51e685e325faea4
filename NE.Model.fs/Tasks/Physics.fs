namespace NE.Model.Tasks

open System

/// A read-only view of a simulator's state, with MuJoCo's names. The spans are valid until the next step of the simulator; arrays of
/// vectors and matrices are flat and row-major. Lengths in brackets.
///
/// After a step, QPos and QVel are new while every derived array still belongs to the last evaluation inside the step
/// (environments.md section 2, "lag"). Tasks must use them as they are.
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
    /// Number of sites.
    abstract NSite: int
    /// Positions in joint coordinates [nq].
    abstract QPos: ReadOnlySpan<float>
    /// Velocities in joint coordinates [nv].
    abstract QVel: ReadOnlySpan<float>
    /// Controls as they were set, not clamped [nu].
    abstract Ctrl: ReadOnlySpan<float>
    /// Positions of the model's initial pose [nq].
    abstract QPos0: ReadOnlySpan<float>
    /// Positions of the bodies' frames [nbody x 3], lagged.
    abstract XPos: ReadOnlySpan<float>
    /// Rotation matrices of the bodies' frames [nbody x 9], lagged.
    abstract XMat: ReadOnlySpan<float>
    /// Positions of the bodies' centres of mass [nbody x 3], lagged.
    abstract XIPos: ReadOnlySpan<float>
    /// Positions of the sites [nsite x 3], lagged.
    abstract SiteXPos: ReadOnlySpan<float>
    /// Inertias and masses about the subtrees' centres of mass [nbody x 10], lagged.
    abstract CInert: ReadOnlySpan<float>
    /// Spatial velocities of the bodies [nbody x 6], lagged.
    abstract CVel: ReadOnlySpan<float>
    /// External spatial forces on the bodies [nbody x 6]; 0 after a reset, then those of the last step.
    abstract CFrcExt: ReadOnlySpan<float>
    /// Forces of the actuators in joint coordinates [nv], lagged.
    abstract QFrcActuator: ReadOnlySpan<float>
    /// Forces of the constraints in joint coordinates [nv], lagged.
    abstract QFrcConstraint: ReadOnlySpan<float>
    /// Readings of the sensors [nsensordata], lagged.
    abstract SensorData: ReadOnlySpan<float>
    /// Masses of the bodies in kg [nbody].
    abstract BodyMass: ReadOnlySpan<float>
