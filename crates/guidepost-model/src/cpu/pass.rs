//! The forward pass of one group of texts, by one thread or by several together.

use super::attention::AttentionBuffers;
use super::bert::CpuBert;
use super::layer::{Layer, Shape};
use super::linear::{Application, CodeBuffers, Linear};
use super::product::Activation;
use super::slabs::{Buffer, Matrix, PANEL, SLAB};
use super::team::Member;
use crate::folder::Pooling;
use crate::token_row::TokenRow;

/// Rows that one thread alone takes through the feed-forward part together: their inner activations stay in a
/// second-level cache.
const BLOCK_ROWS: usize = 96;

/// Memory of one thread, kept between calls.
#[derive(Default)]
pub(crate) struct Workspace {
    states: Buffer<f32>,
    attended: Buffer<f32>,
    query_key_value: Buffer<f32>,
    context: Buffer<f32>,
    sums: Buffer<f32>,
    inner: Buffer<f32>,
    codes: CodeBuffers,
    attention: AttentionBuffers,
}

/// The matrices that members who work together share, each writing its columns.
#[derive(Clone, Copy)]
pub(crate) struct Matrices {
    /// `[tokens, 3 * heads * head]`
    query_key_value: Matrix<f32>,
    /// `[tokens, heads * head]`
    context: Matrix<f32>,
    /// `[tokens, width]`: what a layer normalization is about to read.
    sums: Matrix<f32>,
    /// `[tokens, inner]`
    inner: Matrix<f32>,
}

impl Workspace {
    /// Matrices for groups of at most so many tokens. Those given out before are void when it grows.
    pub(crate) fn matrices(&mut self, shape: Shape, tokens: usize) -> Matrices {
        self.states.matrix(tokens, shape.width);
        self.attended.matrix(tokens, shape.width);
        let heads = shape.heads * shape.head;
        Matrices {
            query_key_value: self.query_key_value.matrix(tokens, 3 * heads),
            context: self.context.matrix(tokens, heads),
            sums: self.sums.matrix(tokens, shape.width),
            inner: self.inner.matrix(tokens, shape.inner),
        }
    }
}

/// One group on its way.
pub(crate) struct Pass<'a> {
    pub(crate) bert: &'a CpuBert,
    /// `[vocabulary, width]`
    pub(crate) words: &'a [f32],
    pub(crate) member: Member<'a>,
    pub(crate) matrices: Matrices,
    pub(crate) space: &'a mut Workspace,
}

impl Pass<'_> {
    /// The last layer's states of all tokens of the texts, in the member's workspace. Shape `[tokens, width]`.
    pub(crate) fn run(mut self, texts: &[TokenRow<'_>]) -> Matrix<f32> {
        let tokens = texts.iter().map(|text| text.len()).sum();
        let width = self.bert.shape.width;
        let states = self.space.states.matrix(tokens, width);
        let attended = self.space.attended.matrix(tokens, width);
        // SAFETY: both matrices have room for the group's tokens, the shared ones for the largest group's; members write
        // to their own matrices, or to their share of the columns or heads of the shared ones, and wait before
        // they read what others wrote.
        unsafe {
            self.embed(texts, states);
            for layer in &self.bert.layers {
                self.attend(layer, texts, states);
                self.transform(layer, states, attended);
            }
        }
        states
    }

    /// Word, position and type of each token, added up and normalized.
    unsafe fn embed(&mut self, texts: &[TokenRow<'_>], states: Matrix<f32>) {
        let bert = self.bert;
        let width = bert.shape.width;
        let padding = width..width.next_multiple_of(PANEL);
        let tokens = texts.iter().flat_map(|text| {
            let typed = text.ids.iter().zip(text.types);
            typed.zip(text.positions(bert.padding_before))
        });
        for (row, ((&token, &kind), position)) in tokens.enumerate() {
            let word = &self.words[token as usize * width..][..width];
            let place = kind as usize * bert.positions + position as usize;
            let place = &bert.places[place * width..][..width];
            for column in 0..width {
                // SAFETY: row and column are inside.
                unsafe {
                    *states.start.add(states.offset(column) + row * SLAB) = word[column] + place[column]
                };
            }
            for column in padding.clone() {
                // SAFETY: a matrix has whole panels.
                unsafe { *states.start.add(states.offset(column) + row * SLAB) = 0.0 };
            }
        }
        // SAFETY: as the caller promises.
        unsafe { bert.norm.apply(bert.kernels, &states, &states) };
    }

    /// Self-attention: fills the context matrix.
    unsafe fn attend(&mut self, layer: &Layer, texts: &[TokenRow<'_>], states: Matrix<f32>) {
        let (shape, matrices) = (self.bert.shape, self.matrices);
        for rows in self.blocks(states.rows) {
            let to = matrices.query_key_value.rows(rows.start, rows.len());
            // SAFETY: as the caller promises.
            unsafe { self.apply(&layer.query_key_value, states.rows(rows.start, rows.len()), to) };
        }
        self.member.wait();
        let heads = shape.heads * shape.head;
        let items = texts.len() * shape.heads;
        let (index, of) = (self.member.index, self.member.of);
        let mut first = 0;
        for (at, text) in texts.iter().enumerate() {
            for head in 0..shape.heads {
                let item = at * shape.heads + head;
                if item * of / items != index {
                    continue;
                }
                let part = |from: Matrix<f32>, column| {
                    from.rows(first, text.len()).columns(column + head * shape.head, shape.head)
                };
                let inputs = [0, heads, 2 * heads].map(|column| part(matrices.query_key_value, column));
                let bias = self.bert.distances.as_ref().map(|distances| distances.of(head, text.len()));
                let attention = self.space.attention.head(inputs, part(matrices.context, 0), bias);
                // SAFETY: as the caller promises.
                unsafe { (self.bert.kernels.attend)(&attention) };
            }
            first += text.len();
        }
        self.member.wait();
    }

    /// The rest of a layer, from the context to the next layer's states.
    unsafe fn transform(&mut self, layer: &Layer, states: Matrix<f32>, attended: Matrix<f32>) {
        let kernels = self.bert.kernels;
        for rows in self.blocks(states.rows) {
            let block = |matrix: Matrix<f32>| matrix.rows(rows.start, rows.len());
            let top = |matrix: Matrix<f32>| matrix.rows(0, rows.len());
            let (states, attended) = (block(states), top(attended));
            let (sums, inner) = (top(self.matrices.sums), top(self.matrices.inner));
            // SAFETY: as the caller promises.
            unsafe {
                self.apply_to(
                    &layer.attention_out,
                    block(self.matrices.context),
                    sums,
                    Some(states),
                    Activation::Identity,
                );
                self.member.wait();
                layer.attention_norm.apply(kernels, &sums, &attended);
                self.apply_to(&layer.inner, attended, inner, None, self.bert.shape.activation);
                self.member.wait();
                self.apply_to(&layer.out, inner, sums, Some(attended), Activation::Identity);
                self.member.wait();
                layer.norm.apply(kernels, &sums, &states);
            }
        }
    }

    /// A member alone goes block by block; members together would only wait more often.
    fn blocks(&self, rows: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let size = if self.member.of == 1 { BLOCK_ROWS } else { rows.max(1) };
        (0..rows).step_by(size).map(move |first| first..(first + size).min(rows))
    }

    unsafe fn apply(&mut self, linear: &Linear, from: Matrix<f32>, to: Matrix<f32>) {
        // SAFETY: as the caller promises.
        unsafe { self.apply_to(linear, from, to, None, Activation::Identity) }
    }

    unsafe fn apply_to(
        &mut self,
        linear: &Linear,
        from: Matrix<f32>,
        to: Matrix<f32>,
        residual: Option<Matrix<f32>>,
        activation: Activation,
    ) {
        let share = (self.member.index, self.member.of);
        let application = Application { from, to, residual, activation, panels: &self.bert.panels, share };
        // SAFETY: as the caller promises.
        unsafe { linear.apply(self.bert.kernels, &mut self.space.codes, &application) }
    }
}

/// One vector per text, of its tokens' states.
///
/// # Safety
/// `states` is good for a row per token of the texts.
pub(crate) unsafe fn pool(texts: &[TokenRow<'_>], states: Matrix<f32>, pooling: Pooling) -> Vec<Vec<f32>> {
    let mut first = 0;
    let mut pooled = Vec::with_capacity(texts.len());
    for text in texts {
        let rows = match pooling {
            Pooling::Mean => text.len(),
            Pooling::Cls => 1,
        };
        let mut vector = vec![0.0; states.columns];
        for row in first..first + rows {
            for (column, sum) in vector.iter_mut().enumerate() {
                // SAFETY: row and column are inside.
                *sum += unsafe { *states.start.add(states.offset(column) + row * SLAB) };
            }
        }
        vector.iter_mut().for_each(|sum| *sum /= rows as f32);
        pooled.push(vector);
        first += text.len();
    }
    pooled
}

/// The states of each text's tokens, shape `[tokens, width]`.
///
/// # Safety
/// As [`pool`].
pub(crate) unsafe fn per_text(texts: &[TokenRow<'_>], states: Matrix<f32>) -> Vec<Vec<f32>> {
    let mut first = 0;
    let mut take = |text: &TokenRow<'_>| {
        let rows = first..first + text.len();
        first += text.len();
        let places = rows.flat_map(|row| (0..states.columns).map(move |column| (row, column)));
        // SAFETY: row and column are inside.
        places.map(|(row, column)| unsafe { *states.start.add(states.offset(column) + row * SLAB) }).collect()
    };
    texts.iter().map(&mut take).collect()
}
