//! Every table of kernels that this processor can run, against the definition in f64, on shapes that hit the edges of tiles,
//! panels and slabs.

use super::attention::AttentionBuffers;
use super::kernels::Kernels;
use super::linear::{Application, CodeBuffers, InputOrder, Linear, Output, Storage, panel_bytes};
use super::product::Activation;
use super::rows::NormWeights;
use super::slabs::{Buffer, Matrix, PANEL, SLAB};
use guidepost_text::Random;

/// Numbers in [-1, 1).
fn random_rows(random: &mut Random, rows: usize, columns: usize) -> Vec<Vec<f32>> {
    let mut number = || (2.0 * random.unit() - 1.0) as f32;
    (0..rows).map(|_| (0..columns).map(|_| number()).collect()).collect()
}

/// A matrix and what keeps it alive.
fn matrix(rows: &[Vec<f32>]) -> (Buffer<f32>, Matrix<f32>) {
    let mut buffer = Buffer::default();
    let matrix = buffer.matrix(rows.len(), rows[0].len());
    for (row, values) in rows.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            buffer.as_mut_slice()[matrix.offset(column) + row * SLAB] = *value;
        }
    }
    let matrix = buffer.matrix(rows.len(), rows[0].len());
    (buffer, matrix)
}

fn read(buffer: &Buffer<f32>, matrix: &Matrix<f32>) -> Vec<Vec<f32>> {
    let at = |row: usize, column| buffer.as_slice()[matrix.offset(column) + row * SLAB];
    (0..matrix.rows).map(|row| (0..matrix.columns).map(|column| at(row, column)).collect()).collect()
}

#[track_caller]
fn check_close(what: &str, found: &[Vec<f32>], expected: &[Vec<f64>], tolerance: f64) {
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (column, (found, expected)) in found.iter().zip(expected).enumerate() {
            let error = (f64::from(*found) - expected).abs();
            assert!(error <= tolerance, "{what}: row {row}, column {column}: {found}, not {expected}");
        }
    }
}

/// A layer with its inputs in the model's order, and its memory.
fn layer(outputs: &[Option<Output<'_>>], inputs: usize, storage: Storage) -> (Linear, Buffer<u8>) {
    let mut panels = Buffer::zeroed(panel_bytes(inputs, outputs.len(), storage));
    let linear = Linear::new(outputs, InputOrder::Same(inputs), storage, panels.as_mut_slice(), 0);
    (linear, panels)
}

/// Runs a layer over rows with every member of a team of three, and once alone.
fn apply(
    kernels: &Kernels,
    (linear, panels): &(Linear, Buffer<u8>),
    from: &[Vec<f32>],
    outputs: usize,
    residual: Option<&[Vec<f32>]>,
    activation: Activation,
) -> Vec<Vec<f32>> {
    let (_from, source) = matrix(from);
    let residual = residual.map(matrix);
    let run = |shares: usize| {
        let mut buffer = Buffer::default();
        let to = buffer.matrix(from.len(), outputs);
        let mut codes = CodeBuffers::default();
        for index in 0..shares {
            let residual = residual.as_ref().map(|(_, matrix)| *matrix);
            let application = Application {
                from: source,
                to,
                residual,
                activation,
                panels: panels.as_slice(),
                share: (index, shares),
            };
            // SAFETY: the kernels are available here and all matrices have the layer's shape.
            unsafe { linear.apply(kernels, &mut codes, &application) };
        }
        read(&buffer, &to)
    };
    let alone = run(1);
    assert_eq!(alone, run(3), "{}: shares make up the whole", kernels.name);
    alone
}

fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::Gelu => x * normal(x),
        Activation::GeluTanh => {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
        }
    }
}

/// Distribution function of the normal distribution, by summing its density.
fn normal(x: f64) -> f64 {
    let steps = 4000;
    let width = x / f64::from(steps);
    let density = |at: f64| (-0.5 * at * at).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let simpson = |step: i32| {
        let at = f64::from(step) * width;
        (density(at) + 4.0 * density(at + width / 2.0) + density(at + width)) * width / 6.0
    };
    0.5 + (0..steps).map(simpson).sum::<f64>()
}

#[test]
fn layers_agree_with_their_definition() {
    let seed = 7;
    let mut random = Random(seed);
    let shapes = [(1, 16, 16), (2, 20, 50), (5, 64, 96), (13, 100, 33), (24, 384, 48), (31, 130, 130)];
    for (rows, inputs, outputs) in shapes {
        let from = random_rows(&mut random, rows, inputs);
        let weights = random_rows(&mut random, outputs, inputs);
        let bias = random_rows(&mut random, 1, outputs).remove(0);
        let residual = random_rows(&mut random, rows, outputs);
        let described: Vec<Option<Output<'_>>> = weights
            .iter()
            .zip(&bias)
            .map(|(weights, &bias)| Some(Output { weights, bias, factor: 0.5 }))
            .collect();
        for activation in [Activation::Identity, Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
            let number = |row: usize, output: usize| {
                let dot = (0..inputs).map(|at| f64::from(from[row][at]) * f64::from(weights[output][at]));
                let sum = 0.5 * (dot.sum::<f64>() + f64::from(bias[output]));
                activate(activation, sum + f64::from(residual[row][output]))
            };
            let expected: Vec<Vec<f64>> =
                (0..rows).map(|row| (0..outputs).map(|output| number(row, output)).collect()).collect();
            for kernels in Kernels::available() {
                for (storage, tolerance) in [
                    (Storage::F32, 2e-6),
                    (Storage::I16, 2e-3),
                    (Storage::I8, 2e-2),
                    (Storage::I8InI16, 2e-2),
                ] {
                    let linear = layer(&described, inputs, storage);
                    let found = apply(kernels, &linear, &from, outputs, Some(&residual), activation);
                    let what = format!(
                        "{} {storage:?} {activation:?} {rows}x{inputs}x{outputs} seed {seed}",
                        kernels.name
                    );
                    check_close(&what, &found, &expected, tolerance * (inputs as f64).sqrt());
                }
            }
        }
    }
}

#[test]
fn integer_products_are_the_same_on_every_processor() {
    let mut random = Random(11);
    let from = random_rows(&mut random, 17, 200);
    let weights = random_rows(&mut random, 80, 200);
    let outputs: Vec<Option<Output<'_>>> =
        weights.iter().map(|weights| Some(Output { weights, bias: 0.0, factor: 1.0 })).collect();
    let run = |kernels, storage| {
        let linear = layer(&outputs, 200, storage);
        apply(kernels, &linear, &from, 80, None, Activation::Identity)
    };
    let portable = *Kernels::available().last().expect("the portable kernels are always there");
    let (words, bytes) = (run(portable, Storage::I16), run(portable, Storage::I8));
    for kernels in Kernels::available() {
        for (storage, expected) in [(Storage::I16, &words), (Storage::I8, &bytes), (Storage::I8InI16, &bytes)]
        {
            let found = run(kernels, storage);
            let expected: Vec<Vec<f64>> =
                expected.iter().map(|row| row.iter().map(|&value| f64::from(value)).collect()).collect();
            check_close(&format!("{} {storage:?}", kernels.name), &found, &expected, 1e-5);
        }
    }
}

#[test]
fn sums_of_the_largest_codes_fit() {
    // Every product at its largest, for the widest layers in use.
    for inputs in [1536, 3072, 4096] {
        let weights = vec![3.0_f32; inputs];
        let outputs = vec![Some(Output { weights: &weights, bias: 0.0, factor: 1.0 }); 16];
        for storage in [Storage::I16, Storage::I8, Storage::I8InI16] {
            let linear = layer(&outputs, inputs, storage);
            for kernels in Kernels::available() {
                let from = [vec![2.0; inputs]];
                let found = apply(kernels, &linear, &from, 16, None, Activation::Identity);
                let expected = [vec![6.0 * inputs as f64; 16]];
                check_close(kernels.name, &found, &expected, 6.0 * inputs as f64 * 1e-5);
            }
        }
    }
}

#[test]
fn layer_norm_agrees_with_its_definition() {
    let mut random = Random(3);
    for width in [16, 72, 384, 100] {
        let rows: Vec<Vec<f32>> = random_rows(&mut random, 5, width)
            .into_iter()
            .map(|row| row.iter().map(|x| 3.0 * x + 5.0).collect())
            .collect();
        let (scale, shift) =
            (random_rows(&mut random, 1, width).remove(0), random_rows(&mut random, 1, width).remove(0));
        let expected: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| {
                let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / width as f64;
                let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / width as f64;
                let number = |(at, &x): (usize, &f32)| {
                    (f64::from(x) - mean) / (variance + 1e-12).sqrt() * f64::from(scale[at])
                        + f64::from(shift[at])
                };
                row.iter().enumerate().map(number).collect()
            })
            .collect();
        let padded = |values: &[f32]| {
            let mut values = values.to_vec();
            values.resize(width.next_multiple_of(PANEL), 0.0);
            values
        };
        let (scale, shift) = (padded(&scale), padded(&shift));
        for kernels in Kernels::available() {
            let (buffer, in_place) = matrix(&rows);
            let weights = NormWeights { scale: &scale, shift: &shift, width, epsilon: 1e-12 };
            // SAFETY: the kernels are available here and the weights have the matrix's width.
            unsafe { (kernels.layer_norm)(&in_place, &in_place, &weights) };
            check_close(kernels.name, &read(&buffer, &in_place), &expected, 1e-5);
        }
    }
}

#[test]
fn attention_agrees_with_its_definition() {
    let mut random = Random(5);
    for (tokens, width) in [(1, 16), (2, 32), (15, 64), (16, 32), (40, 32), (49, 128), (130, 32)] {
        let [query, key, value] = [(); 3].map(|()| random_rows(&mut random, tokens, width));
        // For every other size nothing is added to the scores.
        let biased = tokens % 2 == 0;
        let bias = random_rows(&mut random, 1, 2 * tokens - 1).remove(0);
        let query: Vec<Vec<f32>> =
            query.into_iter().map(|row| row.iter().map(|x| 4.0 * x).collect()).collect();
        let expected: Vec<Vec<f64>> = query
            .iter()
            .enumerate()
            .map(|(from, query)| {
                let dot = |key: &Vec<f32>| {
                    query.iter().zip(key).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
                };
                let added = |to: usize| if biased { f64::from(bias[tokens - 1 + to - from]) } else { 0.0 };
                let scores: Vec<f64> =
                    key.iter().enumerate().map(|(to, key)| (dot(key) + added(to)).exp()).collect();
                let sum: f64 = scores.iter().sum();
                let mix = |at: usize| {
                    scores.iter().zip(&value).map(|(score, value)| score / sum * f64::from(value[at])).sum()
                };
                (0..width).map(mix).collect()
            })
            .collect();
        for kernels in Kernels::available() {
            let inputs = [matrix(&query), matrix(&key), matrix(&value)];
            let (out, result) = matrix(&vec![vec![0.0; width]; tokens]);
            let mut buffers = AttentionBuffers::default();
            let bias = biased.then_some(&bias[..]);
            let attention = buffers.head([inputs[0].1, inputs[1].1, inputs[2].1], result, bias);
            // SAFETY: the kernels are available here and all matrices have one shape.
            unsafe { (kernels.attend)(&attention) };
            check_close(&format!("{} {tokens}x{width}", kernels.name), &read(&out, &result), &expected, 1e-5);
        }
    }
}
