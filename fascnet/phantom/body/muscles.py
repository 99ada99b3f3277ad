"""What is usual for each muscle: fat, thickness, direction of fibres, what lies inside and below.

Where figures come from, as far as they have a source; the rest, and all fat and bone distances, are model
choices of ordinary adult size:

- Pennation of vastus lateralis (18 ± 7 degrees) and tibialis anterior (10 ± 3): Ward et al. 2009, Clin Orthop
  Relat Res 467:1074 (dissection).
- Pennation of tibialis anterior of 12-14 degrees and of medial gastrocnemius of 27-35 degrees at full
  contraction, less at rest: Manal et al. 2006, J Appl Biomech 22:255 (ultrasound).
- Fibres of gastrocnemius and soleus steepen by 6-12 degrees over the ankle's range at rest: Maganaris et al.
  1998, J Physiol 512:603.
- Brighter and thinner muscle in amyotrophic lateral sclerosis: Arts et al. 2012, J Neurol Neurosurg
  Psychiatry 83:552. Bone echo that fades as the muscle above brightens: Heckmatt et al. 1982, J Pediatr
  101:656.
"""

from __future__ import annotations

from dataclasses import dataclass

from fascnet.phantom.ranges import Range


@dataclass(frozen=True, slots=True)
class MuscleBuild:
    """Ordinary build of one muscle. Ranges are of healthy adults of different body builds.

    Attributes:
        fat_mm: fat over it.
        thickness_mm: its thickness.
        pennation_deg: angle of its fascicles in a long-axis picture.
        deep_deg: angle of the fascicles below it, against the other side.
        bone_share: share of subjects with bone in view.
        bone_gap_mm: from the deep aponeurosis to the bone.
        bone_radius_mm: radius of the bone's front across its axis.
        central_share: depth of an aponeurosis inside the muscle as a share of its thickness, or None.
        fascia_share: share of subjects with a further fascia in view below.
        fascia_mm: its distance below the deep aponeurosis.
        deep_echo: brightness below against the muscle.
        spacing_mm: distance of its bright perimysia.
    """

    fat_mm: Range
    thickness_mm: Range
    pennation_deg: Range
    deep_deg: Range = (0.0, 15.0)
    bone_share: float = 0.2
    bone_gap_mm: Range = (2.0, 8.0)
    bone_radius_mm: Range = (9.0, 13.0)
    central_share: Range | None = None
    fascia_share: float = 0.2
    fascia_mm: Range = (6.0, 15.0)
    deep_echo: Range = (0.6, 1.4)
    spacing_mm: Range = (1.2, 2.4)

    @property
    def depth_mm(self) -> Range:
        """Depth that a sonographer would set, so that the muscle fills about half to most of the picture."""
        deepest = self.fat_mm[1] + self.thickness_mm[1]
        return (1.2 * (self.fat_mm[0] + self.thickness_mm[0]) + 4.0, 1.5 * deepest + 4.0)


MUSCLES: dict[str, MuscleBuild] = {
    # Brachialis and the humerus lie below.
    "biceps_brachii": MuscleBuild((2.0, 8.0), (15.0, 26.0), (0.5, 6.0), (5.0, 15.0), 0.35, (4.0, 11.0)),
    # Bipennate; adductor pollicis below, a metacarpal at the side or below.
    "first_dorsal_interosseous": MuscleBuild(
        (0.8, 2.0), (7.5, 12.0), (4.0, 14.0), (0.0, 10.0), 0.45, (0.5, 4.0), (4.0, 6.0), spacing_mm=(0.8, 1.5)
    ),
    # Lower trapezius over the erector spinae; lamina, transverse process or rib below.
    "thoracic_paraspinal": MuscleBuild(
        (3.0, 14.0), (12.0, 24.0), (1.0, 10.0), (0.0, 12.0), 0.45, (1.0, 5.0), (6.0, 12.0), (0.25, 0.4)
    ),
    # Vastus intermedius and the femur below.
    "vastus_lateralis": MuscleBuild(
        (2.5, 11.0), (15.0, 26.0), (9.0, 21.0), (2.0, 12.0), 0.15, (9.0, 18.0), (13.0, 17.0)
    ),
    # Two bellies on a central aponeurosis.
    "tibialis_anterior": MuscleBuild(
        (1.5, 5.0), (18.0, 29.0), (6.0, 14.0), (0.0, 8.0), 0.15, (1.0, 6.0), central_share=(0.42, 0.55)
    ),
    # Soleus below, steeper, with its own septa.
    "gastrocnemius_medialis": MuscleBuild(
        (2.5, 9.0), (12.0, 21.0), (13.0, 26.0), (5.0, 22.0), 0.0, fascia_share=0.5, fascia_mm=(12.0, 20.0)
    ),
    "trapezius": MuscleBuild(
        (3.0, 10.0), (8.0, 16.0), (0.5, 7.0), (0.0, 12.0), 0.15, (8.0, 15.0), fascia_share=0.4
    ),
    # Preperitoneal fat, peritoneum and bowel below.
    "rectus_abdominis": MuscleBuild(
        (6.0, 24.0), (7.5, 13.0), (0.0, 2.5), (0.0, 5.0), 0.0, fascia_share=0.9, fascia_mm=(1.5, 5.0),
        deep_echo=(0.7, 2.0),
    ),
    # From below the chin: mylohyoid over geniohyoid and genioglossus; air over the tongue reflects like bone.
    "tongue": MuscleBuild(
        (4.0, 10.0), (20.0, 32.0), (3.0, 20.0), (0.0, 10.0), 0.5, (0.5, 4.0), (30.0, 60.0), (0.22, 0.38),
        spacing_mm=(0.8, 1.6),
    ),
}  # fmt: skip
"""Builds by the name that manifests use."""
