//! Merkle roots, branches, and folding a branch back to the root.
//!
//! Source: protocol notes, encoding.md section 11.

use crate::hash::{Hash32, sha256d};

fn node(left: &Hash32, right: &Hash32) -> Hash32 {
    let mut both = [0; 64];
    both[..32].copy_from_slice(left);
    both[32..].copy_from_slice(right);
    sha256d(&both)
}

fn next_level(level: &[Hash32]) -> Vec<Hash32> {
    level.chunks(2).map(|pair| node(&pair[0], pair.last().expect("chunks are not empty"))).collect()
}

/// Root of the tree over `leaves`; zero for none, the leaf itself for one.
pub fn root(leaves: &[Hash32]) -> Hash32 {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = next_level(&level);
    }
    level.first().copied().unwrap_or([0; 32])
}

/// Siblings on the way from leaf `index` to the root, bottom up.
///
/// Where the path has no right neighbour its own hash stands in.
pub fn branch(leaves: &[Hash32], mut index: usize) -> Vec<Hash32> {
    let mut level = leaves.to_vec();
    let mut out = Vec::new();
    while level.len() > 1 {
        let sibling = level.get(index ^ 1).or(level.get(index)).copied().unwrap_or([0; 32]);
        out.push(sibling);
        level = next_level(&level);
        index /= 2;
    }
    out
}

/// Siblings of a first leaf that is not known yet, `rest` being the other leaves.
pub fn branch_of_first(rest: &[Hash32]) -> Vec<Hash32> {
    branch(&[&[[0; 32]], rest].concat(), 0)
}

/// Root from a first leaf and its siblings.
pub fn fold(tip: Hash32, branch: &[Hash32]) -> Hash32 {
    branch.iter().fold(tip, |hash, sibling| node(&hash, sibling))
}

/// Root from leaf `index` and its siblings; `None` if the index lies outside the tree.
pub fn fold_at(tip: Hash32, branch: &[Hash32], index: u64) -> Option<Hash32> {
    let levels = u32::try_from(branch.len()).unwrap_or(u32::MAX);
    if levels < 64 && index >> levels != 0 {
        return None;
    }
    let mut hash = tip;
    for (level, sibling) in branch.iter().enumerate() {
        let is_right = level < 64 && index >> level & 1 == 1;
        hash = if is_right { node(sibling, &hash) } else { node(&hash, sibling) };
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(i: u32) -> Hash32 {
        sha256d(&i.to_le_bytes())
    }

    #[test]
    fn folding_the_first_leaf_gives_the_root() {
        for count in 1..20_u32 {
            let leaves: Vec<_> = (0..count).map(leaf).collect();
            assert_eq!(fold(leaves[0], &branch_of_first(&leaves[1..])), root(&leaves));
            for index in 0..leaves.len() {
                let branch = branch(&leaves, index);
                assert_eq!(fold_at(leaves[index], &branch, index as u64), Some(root(&leaves)));
            }
        }
    }

    #[test]
    fn index_outside_the_tree_is_refused() {
        assert_eq!(fold_at([1; 32], &[], 1), None);
        assert_eq!(fold_at([1; 32], &[[2; 32]], 2), None);
        assert!(fold_at([1; 32], &[[2; 32]], 1).is_some());
    }

    #[test]
    fn empty_and_zero_trees_have_root_zero() {
        assert_eq!(root(&[]), [0; 32]);
        assert_eq!(root(&[[0; 32]]), [0; 32]);
    }
}
