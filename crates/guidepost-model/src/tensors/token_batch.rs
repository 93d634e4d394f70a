//! Texts on their device, padded to the longest.

use candle_core::{DType, Device, Result, Tensor};

use crate::token_row::TokenRow;

/// Added to the scores of what is not to be seen: `exp` makes it 0 beside any token. Finite, and so in f16 too, unlike the
/// smallest f32 of the published implementations: multiplying that by a mask yields 0 × −∞, which is no number.
const HIDDEN_SCORE: f64 = -30_000.0;

/// How a model wants its padding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Padding {
    /// The token.
    pub(crate) token: u32,
    /// See [`crate::architecture::BertConfig::padding_before`].
    pub(crate) before: Option<u32>,
}

/// Texts on the device, padded to the longest.
pub(crate) struct TokenBatch {
    /// `[batch, length]`, u32.
    pub(super) ids: Tensor,
    /// `[batch, length]`, u32; nothing when all types are 0.
    pub(super) types: Option<Tensor>,
    /// `[batch, length]`, u32; nothing where they count from 0.
    pub(super) positions: Option<Tensor>,
    /// `[batch, length]`, f32: 1 for a token, 0 for padding; nothing when there is no padding.
    kept: Option<Tensor>,
}

impl TokenBatch {
    /// Pads the rows and copies them.
    pub(crate) fn upload(rows: &[TokenRow], padding: Padding, device: &Device) -> Result<Self> {
        let length = rows.iter().map(TokenRow::len).max().unwrap_or(0);
        let put = |part: &dyn Fn(&TokenRow) -> Vec<u32>, fill: u32| {
            let padded = |row| part(row).into_iter().chain(std::iter::repeat(fill)).take(length);
            let values: Vec<u32> = rows.iter().flat_map(padded).collect();
            Tensor::from_vec(values, (rows.len(), length), device)
        };
        let positions = |before| put(&|row| row.positions(Some(before)).collect(), before);
        let typed = rows.iter().any(|row| row.types.iter().any(|&kind| kind != 0));
        let ragged = rows.iter().any(|row| row.ids.len() != length);
        let kept = || put(&|row| vec![1; row.ids.len()], 0)?.to_dtype(DType::F32);
        Ok(TokenBatch {
            ids: put(&|row| row.ids.to_vec(), padding.token)?,
            types: typed.then(|| put(&|row| row.types.to_vec(), 0)).transpose()?,
            positions: padding.before.map(positions).transpose()?,
            kept: ragged.then(kept).transpose()?,
        })
    }

    /// 1 for tokens and 0 for padding: `[batch, length]`, f32.
    pub(crate) fn kept(&self) -> Result<Tensor> {
        match &self.kept {
            Some(kept) => Ok(kept.clone()),
            None => Tensor::ones(self.ids.shape(), DType::F32, self.ids.device()),
        }
    }

    /// What is added to the scores, `[batch, 1, length]`, if there is padding.
    pub(super) fn score_mask(&self, dtype: DType) -> Result<Option<Tensor>> {
        let added = |kept: &Tensor| hide(kept)?.unsqueeze(1)?.to_dtype(dtype);
        self.kept.as_ref().map(added).transpose()
    }

    /// What is added to the scores where a token sees only those at most `reach` away, `[1 or batch, length, length]`; the
    /// mask of padding where all are near.
    pub(super) fn near_mask(&self, reach: usize, dtype: DType) -> Result<Option<Tensor>> {
        let length = self.ids.dim(1)?;
        if length <= reach + 1 {
            return self.score_mask(dtype);
        }
        let of_query =
            |query: usize| (0..length).map(move |key| f32::from(u8::from(query.abs_diff(key) <= reach)));
        let near: Vec<f32> = (0..length).flat_map(of_query).collect();
        let near = Tensor::from_vec(near, (1, length, length), self.ids.device())?;
        // One number for what is far and what is padding: their sum could be none in f16.
        let seen = match &self.kept {
            Some(kept) => near.broadcast_mul(&kept.unsqueeze(1)?)?,
            None => near,
        };
        hide(&seen)?.to_dtype(dtype).map(Some)
    }
}

/// 0 for 1, and what hides a score for 0.
fn hide(seen: &Tensor) -> Result<Tensor> {
    seen.affine(-HIDDEN_SCORE, HIDDEN_SCORE)
}
