namespace NE.Model.Tasks.Custom

open System
open NE.Model.Tasks

/// Something in the model that has a position in the world. Indices are the model's.
[<RequireQualifiedAccess>]
type Point =
    | Body of body: int
    | Site of site: int
    | Geom of geom: int

/// A number that can be read off a physics state. Indices are the model's; axes are 0, 1, 2 for x, y, z.
[<RequireQualifiedAccess>]
type Quantity =
    /// A joint coordinate, by its index in qpos [m or rad].
    | Coordinate of qpos: int
    /// A joint velocity, by its index in qvel [m/s or rad/s].
    | Rate of qvel: int
    /// A coordinate of a point in the world [m].
    | Position of point: Point * axis: int
    /// The distance between two points [m].
    | Distance of from: Point * towards: Point
    /// A single reading, by its index in the sensor data.
    | Reading of address: int
    /// The Euclidean norm of a sensor's readings.
    | ReadingNorm of address: int * count: int
    /// The cosine between the z axis of a body and the world's: 1 upright, -1 upside down.
    | Upright of body: int

[<RequireQualifiedAccess>]
module Quantity =
    /// A coordinate of a point, as the derived arrays have it (`IPhysics` says when they lag).
    let coordinate (physics: IPhysics) (point: Point) (axis: int) : float =
        match point with
        | Point.Body body -> physics.XPos[3 * body + axis]
        | Point.Site site -> physics.SiteXPos[3 * site + axis]
        | Point.Geom geom -> physics.GeomXPos[3 * geom + axis]

    let private distance (physics: IPhysics) (left: Point) (right: Point) =
        let mutable sum = 0.0

        for axis in 0..2 do
            let difference = coordinate physics left axis - coordinate physics right axis
            sum <- sum + difference * difference

        Math.Sqrt sum

    let private norm (values: ReadOnlySpan<float>) =
        let mutable sum = 0.0

        for value in values do
            sum <- sum + value * value

        Math.Sqrt sum

    /// Reads the quantity.
    let read (physics: IPhysics) (quantity: Quantity) : float =
        match quantity with
        | Quantity.Coordinate index -> physics.QPos[index]
        | Quantity.Rate index -> physics.QVel[index]
        | Quantity.Position(point, axis) -> coordinate physics point axis
        | Quantity.Distance(left, right) -> distance physics left right
        | Quantity.Reading address -> physics.SensorData[address]
        | Quantity.ReadingNorm(address, count) -> norm (physics.SensorData.Slice(address, count))
        | Quantity.Upright body -> physics.XMat[9 * body + 8]
