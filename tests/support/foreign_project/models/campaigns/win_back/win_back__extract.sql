select
    profile_id,
    {{ dmail.person_name("title", "first_name", "last_name") }} as full_name,
    {{ dmail.address_block_text() }} as address,
    piece_id
from ({{ dmail.pieces(ref("win_back__audience"), ref("win_back__recipients")) }}) as pieces
